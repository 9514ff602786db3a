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

BOARDS = ("Design", "Front end", "Back end")

SALES = ("goran.ilic", "hana.novak", "lucas.moreira", "nadia.haddad", "sofia.lindqvist")
"""The employees who look after customers."""

FIRST_NAMES = (
    "Aurelio", "Beatrix", "Casimir", "Dorothea", "Emeka", "Florian", "Greta", "Hiroshi", "Isolde", "Joaquim",
    "Katarina", "Leopold", "Mirela", "Ngozi", "Ottilie", "Pavel", "Rosalind", "Stefan", "Thandiwe", "Viktor",
)  # fmt: skip

LAST_NAMES = (
    "Abbink", "Brandvold", "Castellan", "Dubois", "Eriksen", "Fournier", "Galanis", "Hartwig", "Ivarsson", "Jurado",
    "Kowal", "Laurent", "Mbeki", "Nyberg", "Okonkwo", "Petrov", "Quintana", "Rossi", "Svoboda", "Tanaka",
)  # fmt: skip
"""Customers are called by one of each."""

COMPANIES = ("brightmill", "coastalworks", "fernwayfoods", "graniteparts", "lanternlabs", "northquay", "oldbridge")

INTERESTS = ("Consulting", "Hardware", "Services", "Software", "Training")

WORKS = ("rebuild", "check", "document", "speed up", "simplify", "translate", "test", "tidy up")

PIECES = (
    "the sign-up form", "the price table", "the night report", "the search index", "the invoice run",
    "the start page", "the address import", "the help pages", "the mail queue", "the colour scheme",
)  # fmt: skip
"""Tasks are a work on a piece."""

SUBJECTS = (
    "travel plans",
    "room booking",
    "quarterly figures",
    "new laptop",
    "visit on Friday",
    "minutes of the meeting",
)
