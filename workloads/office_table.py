"""The office's tables beside the calendar: project tasks, customers, and the mail that came in.

Their columns and sizes are WorkBench's; what is generated is the project's own.
"""

from datetime import date, datetime, timedelta
from random import Random

from workloads.office import Row, Table, clock
from workloads.office_names import (
    BOARDS,
    COMPANIES,
    DOMAIN,
    EMPLOYEES,
    FIRST_NAMES,
    INTERESTS,
    LAST_NAMES,
    PIECES,
    SALES,
    SUBJECTS,
    WORKS,
)

TODAY = date(2023, 11, 30)
"""The day on which the stories of the office happen."""

BACKLOG, IN_PROGRESS = "Backlog", "In Progress"
WON, PROPOSAL, LEAD = "Won", "Proposal", "Lead"
LISTS = {BACKLOG: 190, IN_PROGRESS: 14, "In Review": 45, "Completed": 51}
STATUSES = (WON, PROPOSAL, LEAD, "Qualified", "Lost")
"""The lists of the project board with how many tasks they hold, and what a customer can be."""

FIRST_DUE_DAYS, LAST_DUE_DAYS = -3, 13
"""When tasks are due, in days from today."""

FIXED = {
    ("fatima.rahimi", IN_PROGRESS): 3,
    ("dmitri.sokolov", IN_PROGRESS): 1,
    ("kofi.asante", BACKLOG): 3,
}
"""How many tasks of one list these people have, overdue ones if it is the backlog: as many as in WorkBench."""


def _day(text: str) -> str:
    return date.fromisoformat(text).isoformat()


def _moment(text: str) -> str:
    return datetime.fromisoformat(text).isoformat(" ")


def _generate_tasks(random: Random) -> list[Row]:
    """300 tasks, a hundred a board, sorted by due date; those that `FIXED` counts are dealt, the others drawn."""
    dealt = [key for key, number in FIXED.items() for _ in range(number)]
    lists = [name for name, number in LISTS.items() for _ in range(number)]
    for _, name in dealt:
        lists.remove(name)
    drawn = [*((person, name, True) for person, name in dealt), *((None, name, False) for name in lists)]
    rows = [_task(random, person, name, fixed) for person, name, fixed in drawn]
    boards = [board for board in BOARDS for _ in range(len(rows) // len(BOARDS))]
    random.shuffle(boards)
    ids = _ids(random, len(rows))
    for row, name, board in zip(rows, ids, boards, strict=True):
        row |= {"task_id": name, "board": board}
    return sorted(rows, key=lambda row: (row["due_date"], row["task_id"]))


def _task(random: Random, person: str | None, name: str, fixed: bool) -> dict[str, str]:
    """One task; a drawn one is none of those that are counted."""
    while True:
        owner = person or random.choice(EMPLOYEES)
        ahead = random.randint(FIRST_DUE_DAYS, -1 if fixed and name == BACKLOG else LAST_DUE_DAYS)
        if fixed or (owner, name) not in FIXED or (name == BACKLOG and ahead >= 0):
            break
    return {
        "task_name": f"{random.choice(WORKS)} {random.choice(PIECES)}",
        "assigned_to_email": f"{owner}@{DOMAIN}",
        "list_name": name,
        "due_date": str(TODAY + timedelta(days=ahead)),
    }


def _generate_customers(random: Random) -> list[Row]:
    """200 customers of five people, the last spoken to first."""
    names = random.sample([(first, last) for first in FIRST_NAMES for last in LAST_NAMES], 200)
    rows = []
    for name, (first, last) in zip(_ids(random, len(names)), names, strict=True):
        spoken = TODAY - timedelta(days=random.randint(0, 60))
        phone = "".join(random.choice("0123456789") for _ in range(10))
        company = random.choice(COMPANIES)
        rows.append(
            {
                "customer_id": name,
                "assigned_to_email": f"{random.choice(SALES)}@{DOMAIN}",
                "customer_name": f"{first} {last}",
                "customer_email": f"{first.lower()}.{last.lower()}@{company}.example",
                "customer_phone": random.choice(("", f"{phone[:3]}-{phone[3:6]}-{phone[6:]}")),
                "last_contact_date": str(spoken),
                "product_interest": random.choice(INTERESTS),
                "status": random.choice(STATUSES),
                "follow_up_by": str(spoken + timedelta(days=random.randint(10, 30))),
                "notes": random.choice(("", f"{spoken}: talked on the phone. ", f"{spoken}: saw a demonstration. ")),
            }
        )
    return sorted(rows, key=lambda row: row["last_contact_date"], reverse=True)


def _generate_mails(random: Random) -> list[Row]:
    """500 mails of two months, the oldest first."""
    rows = []
    for name in _ids(random, 500):
        sender, subject = random.choice(EMPLOYEES), random.choice(SUBJECTS)
        day = TODAY - timedelta(days=random.randint(0, 60))
        rows.append(
            {
                "email_id": name,
                "inbox/outbox": "inbox",
                "sender/recipient": f"{sender}@{DOMAIN}",
                "subject": subject,
                "sent_datetime": f"{day} {clock(random.randint(9 * 60, 17 * 60))}:{random.randint(0, 59):02}",
                "body": f"A word on the {subject}. {sender.split('.')[0].title()}",
            }
        )
    return sorted(rows, key=lambda row: (row["sent_datetime"], row["email_id"]))


def _ids(random: Random, number: int) -> list[str]:
    names = [f"{one:08}" for one in range(number)]
    random.shuffle(names)
    return names


TASKS = Table(
    name="tasks",
    file="project_tasks.csv",
    key="task_id",
    generate=_generate_tasks,
    fields=(
        ("task_name", "name", str),
        ("assigned_to_email", "owner", str),
        ("list_name", "list", str),
        ("due_date", "due", _day),
        ("board", "", str),
    ),
)

CUSTOMERS = Table(
    name="customers",
    file="customer_relationship_manager_data.csv",
    key="customer_id",
    generate=_generate_customers,
    fields=(
        ("assigned_to_email", "owner", str),
        ("customer_name", "name", str),
        ("customer_email", "", str),
        ("customer_phone", "", str),
        ("last_contact_date", "", _day),
        ("product_interest", "interest", str),
        ("status", "status", str),
        ("follow_up_by", "", _day),
        ("notes", "notes", str),
    ),
)

MAILS = Table(
    name="inbox",
    file="emails.csv",
    key="email_id",
    generate=_generate_mails,
    fields=(
        ("inbox/outbox", "", str),
        ("sender/recipient", "sender", str),
        ("subject", "subject", str),
        ("sent_datetime", "", _moment),
        ("body", "body", str),
    ),
)
"""What no story asks for is read, so that a wrong table is noticed, and not kept."""
