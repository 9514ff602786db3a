"""The small Python project that two coding cells are about: tax and invoices in cents, with its own tests."""

FILES = {
    "README.md": "# Shop\n\nPrices, taxes and invoices, all in cents.\n",
    "invoice.py": '''"""Invoices, from net amounts in cents."""

from tax import vat_of


def gross(lines):
    """What the customer pays for these lines."""
    net = sum(lines)
    return net + vat_of(net)
''',
    "tax.py": '''"""Value-added tax, in cents."""

RATE_PERCENT = 19


def vat_of(net):
    """The tax on a net amount."""
    return net * RATE_PERCENT // 100
''',
    "test_invoice.py": """import unittest

from invoice import gross


class Invoice(unittest.TestCase):
    def test_a_gross_amount_is_net_and_tax(self):
        self.assertEqual(gross([10_000, 2_000]), 14_280)
""",
    "test_tax.py": """import unittest

from tax import vat_of


class Tax(unittest.TestCase):
    def test_nineteen_percent(self):
        self.assertEqual(vat_of(10_000), 1_900)
""",
}
"""The working tree at the start."""

SHIPPING_TEST = """import unittest

from shipping import shipping


class Shipping(unittest.TestCase):
    def test_a_small_order_pays_for_shipping(self):
        self.assertEqual(shipping(1_000), 595)

    def test_a_large_order_does_not(self):
        self.assertEqual(shipping(10_000), 0)
"""


def shipping(function: str) -> str:
    """A module on what shipping costs, with tax by the function of that name."""
    return f'''"""What shipping costs, in cents and with tax."""

from tax import {function}

NET, FREE_FROM = 500, 5_000


def shipping(net):
    """What the customer pays for shipping an order of this net amount."""
    return 0 if net >= FREE_FROM else NET + {function}(NET)
'''
