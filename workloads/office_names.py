"""The names that the generated office tables draw from: the project's own people and meetings."""

DOMAIN = "harbour.example"

EMPLOYEES = (
    "abena.owusu",
    "bruno.keller",
    "carlos.vidal",
    "chiara.conti",
    "dmitri.sokolov",
    "elif.demir",
    "fatima.rahimi",
    "goran.ilic",
    "hana.novak",
    "ingrid.dahl",
    "kofi.asante",
    "lucas.moreira",
    "mei.lin",
    "nadia.haddad",
    "oscar.berg",
    "priya.nair",
    "sofia.lindqvist",
    "tomas.kral",
    "wanjiru.kamau",
    "yusuf.aydin",
)
"""Twenty employees as their addresses begin; the stories of the office cells go by first names."""

MEETINGS = (
    "weekly planning",
    "design review",
    "customer call",
    "budget talk",
    "retrospective",
    "hiring round",
    "release check",
    "risk review",
    "vendor call",
    "team breakfast",
    "roadmap talk",
    "contract review",
    "support handover",
    "training",
    "press briefing",
    "quarterly look back",
    "security drill",
    "price review",
    "one to one",
    "demonstration",
    "incident review",
    "data clean-up",
    "partner visit",
    "stock count",
)
