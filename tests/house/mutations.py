#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Takes each step of netting and of maturity out of the detection, one at a time, and looks whether a test notices: scripts/soak mutations.

Works on a copy of the tree under build/mutations. Arguments: parts of names of mutations; none: all of them."""
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLACE = ROOT / "build" / "mutations"
NETTING, CASE, WAREHOUSE, INBOUND, ORDERS = "netting.cpp", "case.cpp", "rules_warehouse.cpp", "rules_inbound.cpp", "rules_orders.cpp"
LEDGER, DETECT = "ledger.cpp", "detect.cpp"
UNITS, REFUNDS, REVERSALS, FEES, REMOVALS = "order_units.cpp", "rules_refunds.cpp", "rules_reversals.cpp", "rules_fees.cpp", "rules_removals.cpp"

# What is taken out, where, the text as it stands (once in its file), and what stands there instead.
MUTATIONS = [
    ("damaged units that are misplaced are told twice", NETTING, "if (r->disposition == Disposition::warehouse_damaged)\n          for", "if (false)\n          for"),
    ("a payment in units counts twice", NETTING, "std::min(n_.credits[i].payment->line->inventory, n_.credits[i].units)", "std::int64_t{0}"),
    ("Amazon's reconciled figure bounds nothing", NETTING, "if (!first_) return lot.left;", "return lot.left;"),
    ("own payments are not preferred", NETTING, "      own_payments();\n", ""),
    ("corrections of damage are ignored", NETTING, "if (n_.credits[c].kind == Step::corrected) nearest_before", "if (false) nearest_before"),
    ("found units are ignored", NETTING, "for (const Step kind : {Step::found, Step::found_by_asin})", "for (const Step kind : {Step::found_by_asin})"),
    ("units found by ASIN are ignored", NETTING, "for (const Step kind : {Step::found, Step::found_by_asin})", "for (const Step kind : {Step::found})"),
    ("units found by ASIN serve every product", NETTING, "if (f.row == n.credits[u.credit].row) f.left -= u.units;", "(void)f, (void)u;"),
    ("what was found before it was lost is ignored", NETTING, "            nearest_after(c, kind);\n", ""),
    ("payments close nothing but what they equal", NETTING, "          nearest_before(c, *kind, Step::payment, kLongestPayment);\n", ""),
    ("payments prefer no equal loss", NETTING, "          equal_before(c, *kind, Step::payment, kLongestPayment);\n", ""),
    ("units that Amazon gave are ignored", NETTING, "if (n_.credits[c].kind == Step::ownership) nearest_before", "if (false) nearest_before"),
    ("payments of another kind are ignored", NETTING, "      other_families();\n    }", "    }"),
    ("payments reach losses after them", NETTING, "return lot.row->day <= reach(c) &&", "return"),
    ("reversals take nothing back", NETTING, "p->gross - (gross ? 0 : p->reversed)", "p->gross"),
    ("a claim may be covered and is as sure", WAREHOUSE, 'if (may_be_covered(n, lot) || c.paid_as_another_product(*lot.row)) f.terms.push_back({"G1", -20});', ""),
    ("Amazon's unreconciled figure bounds no claim", WAREHOUSE, "open = std::min<std::int64_t>(open, *amazons);", ""),
    ("transfers arrive by reference only", WAREHOUSE, "for (const bool by_reference : {true, false})", "for (const bool by_reference : {true})"),
    ("transfers that were booked as lost are claimed again", WAREHOUSE, "std::int64_t left = units_of(r);\n      for (std::size_t i = missing", "std::int64_t left = 0;\n      for (std::size_t i = missing"),
    ("disposals that were ordered are claimed", WAREHOUSE, "const std::int64_t same = std::min(order.left, f.quantity);", "const std::int64_t same = 0;"),
    ("disposals that were paid are claimed", WAREHOUSE, 'const std::int64_t taken = c.take(std::move(paid), f.quantity, f, general ? "payment of another kind" : "payment");', "const std::int64_t taken = 0;"),
    ("transfers that were paid are claimed", WAREHOUSE, 'f.quantity -= c.take(std::move(paid), f.quantity, f, "payment");\n    if (f.quantity == 0) return c.no(rule_, ref, "paid"', 'if (f.quantity == 0) return c.no(rule_, ref, "paid"'),
    ("what is in transit is in transit for every transfer", WAREHOUSE, "balance->second.in_transit -= f.quantity;", ""),
    ("a summary of before tells of a transfer", WAREHOUSE, "balance->second.until() > out.row->day + kOnTheWay", "true"),
    ("disposals that were taken back are claimed", WAREHOUSE, "const std::int64_t same = std::min(left, d.left);", "const std::int64_t same = 0;"),
    ("losses that were taken back are claimed", NETTING, "if (n_.credits[c].kind == Step::undone) undo(c);", "(void)c;"),
    ("damaged receipts that were taken back are claimed", INBOUND, "const std::int64_t same = std::min(left, r.left);", "const std::int64_t same = 0;"),
    ("receipts as another product are ignored", INBOUND, "const std::int64_t same = item.asin.empty() || other.asin != item.asin ? 0 : std::min(item.open, other.left);", "const std::int64_t same = 0;"),
    ("receipts of a product in another shipment are ignored", INBOUND, 'take_unplanned(item, other, std::min(item.open, other.left), "received in another shipment");', "(void)other;"),
    ("a shipment was delivered when it was seen so", INBOUND, "std::min(row->delivered, first_receipt)", "row->delivered"),
    ("returns that were booked under another ASIN are claimed", ORDERS, "pass < 3 ? same_product_rows(returned) : same_asin_rows(returned)", "same_asin_rows(returned)"),
    ("damage of returns that a reversal claims is claimed again", ORDERS, "f.quantity -= claimed_back(case_, last.order, item, f.quantity);", ""),
    ("several units at half their price count as one", UNITS, "if (units < std::min(*refund.quantity, u.sold)) continue;", ""),
    ("overage of the ASIN is ignored", INBOUND, 'offset(item, other, "overage of the ASIN");', "(void)other;"),
    ("overage of another shipment is ignored", INBOUND, 'offset(item, other, "overage of another shipment");', "(void)other;"),
    ("payments for shipments are ignored", INBOUND, "const std::int64_t units = std::min(item.open, p->left);", "const std::int64_t units = 0;"),
    ("cases count as units", INBOUND, "item.over = 0;", "(void)in_case;"),
    ("shipments mature while Amazon counts", INBOUND, 'if (status != "CLOSED") not_before', "if (false) not_before"),
    ("shipments mature right after the last receipt", INBOUND, "if (item.shipment->last_receipt) not_before =", "if (false) not_before ="),
    ("damage that was corrected on arrival is claimed", INBOUND, "      received.left -= same;\n", ""),
    ("a correction is of every receipt", INBOUND, "      used += same;\n      received.left", "      received.left"),
    ("returned units are claimed as not returned", ORDERS, "const std::int64_t same = std::min(units, left);", "const std::int64_t same = 0;"),
    ("paid orders are claimed", ORDERS, 'open -= c.take(paid_on_order(c, order.name, item, order.items, false), open, f, "payment");', ""),
    ("what a reversal claims is claimed by the order too", ORDERS, "open -= claimed_back(c, order.name, item, open);", ""),
    ("paid damage of returns is claimed", ORDERS, 'f.quantity -= case_.take(paid_on_order(case_, last.order, item, others, true), f.quantity, f, "payment");', ""),
    ("damage of returns that was paid by the unit is claimed", ORDERS, "      if (const std::int64_t taken = case_.take(std::move(left), f.quantity, f, \"payment of another kind\"); taken > 0) {", "      if (const std::int64_t taken = 0; taken > 0) {"),
    ("damage of returns matures with the refund", ORDERS, ".not_before = last.day + days(rule_.maturity_days + (returned.said_reimbursed ? 10 : 0)),", ".not_before = {},"),
    ("returns that were booked are claimed", ORDERS, "returned.open -= same;", "(void)same;"),
    ("returns that were booked as found are claimed", ORDERS, "const std::int64_t same = std::min(found.left, left);", "const std::int64_t same = 0;"),
    ("price adjustments count as units", UNITS, "return whole ? std::min(units, sold) : 0;", "return (void)whole, std::min(units, sold);"),
    ("a unit is refunded twice", UNITS, "if (u.refunded >= u.sold) continue;", ""),
    ("payments do not lessen an excess", REFUNDS, "const std::int64_t taken = std::min(excess.value, place->second);", "const std::int64_t taken = 0;"),
    ("the administration fee is claimed", REFUNDS, "credit.value - c.policy.refund_administration(credit, units, currency).value", "credit.value"),
    ("found units back no reversal", REVERSALS, 'f.netting.push_back({credit.ref(), units, "came back"});', "left += units;"),
    ("what was paid twice backs no reversal", REVERSALS, "const std::int64_t units = std::min(left, over);", "const std::int64_t units = 0;"),
    ("returned units back no reversal", REVERSALS, "const std::int64_t units = std::min(left, r->quantity - used);", "const std::int64_t units = 0;"),
    ("late receipts back no reversal", REVERSALS, "const std::int64_t units = std::min(left, std::min<std::int64_t>(r.quantity, lacked) - used);", "const std::int64_t units = 0;"),
    ("losses are claimed beside their reversals", REVERSALS, "        lot.reopened += here;\n", ""),
    ("a payment that came again is ignored", REVERSALS, "left > 0 ? repayments_.take(reversal, left) : Repayments::Found{}", "Repayments::Found{}"),
    ("a payment comes again for every reversal", REVERSALS, "      used += here;\n      return {&line, here};", "      return {&line, here};"),
    ("units that came back are owed for all the same", REVERSALS, "std::max<std::int64_t>(0, refunded - returned)", "refunded"),
    ("shipments are overpaid by all that was paid", REVERSALS, "std::max<std::int64_t>(0, paid - lacking)", "paid"),
    ("payments that name another removal are taken", REMOVALS, " || (!p->line->order.empty() && p->line->order != order)", ""),
    ("payments that name a removal are an order's", CASE, "&& !removal_orders.contains(line.order)", ""),
    ("a preview tells every price's rate", FEES, "return preview.away <= days(7) && std::llabs(price - p->price->value) * 50 <= p->price->value;", "return preview.away <= days(7);"),
    ("surcharges after a preview are claimed", FEES, "if (card) expected = std::max(expected,", "if (false) expected = std::max(expected,"),
    ("a tier that is not known is bulky", FEES, "row->dangerous || !size_of ? nullptr : c.policy.storage_rate(country, *size_of, row->month)", 'row->dangerous ? nullptr : c.policy.storage_rate(country, size_of.value_or("bulky"), row->month)'),
    ("bills of several SKUs are one bill twice", FEES, "!fee.fnsku.empty() ? fee.fnsku : fee.sku", "fee.fnsku"),
    ("tables are needed from the event on alone", CASE, "if (source == need.source) from = std::min(from, day);", "(void)source, (void)day;"),
    ("the last days of a table are passed over", CASE, "return days(source == Source::money ? 3 : 2);", "return days(source == Source::money ? 30 : 20);"),
    ("fees that were given back are claimed", FEES, "const std::int64_t amount = twice.over.value - given_back;", "const std::int64_t amount = twice.over.value;"),
    ("bills that were given back are claimed", FEES, "if (given_back[sum] > 0) {", "if (false) {"),
    ("credits do not lessen an overcharge", FEES, "back = std::min(sum, credited);", "back = 0;"),
    ("refunded units' fees are claimed", FEES, "over = over * (units_of_order->sold - units_of_order->refunded) / units_of_order->sold;", "(void)0;"),
    ("paid removals are claimed", REMOVALS, "f.quantity -= take_removal_payments(c, r->order, fnsku, r->requested, f);", ""),
    ("lost parcels that were paid are claimed", REMOVALS, "f.quantity -= take_removal_payments(c, s.row->order, s.row->fnsku, s.row->shipped_on, f);", ""),
    ("parcels that arrived are claimed", REMOVALS, "const std::int64_t units = std::min(r.left, s.missing);", "const std::int64_t units = 0;"),
    ("removals that are not complete are claimed", REMOVALS, "if (!r->completed) {", "if (false) {"),
    ("nothing has to mature", CASE, "g.event + days(rule.maturity_days));", "g.event);"),
    ("windows open at once", CASE, "f.claimable_from = std::max(g.early ? window.earliest : window.safe_earliest,", "f.claimable_from = std::max(g.event,"),
    ("what a rule sets as the first day is ignored", CASE, "if (g.not_before) f.claimable_from = std::max(f.claimable_from, *g.not_before);", ""),
    ("gaps in the tables block nothing", CASE, "f.blocked = std::string(source_name(gap->source))", "const std::string unused = std::string(source_name(gap->source))"),
    ("the SKU of a line is not known by the ledger", LEDGER, "if (known == labels_.end()) return {};", "if (known != labels_.end()) return {};"),
    ("an SKU is what it was labelled last, on any day", LEDGER, "const bool before = !day || l.first <= *day;", "const bool before = true;"),
    ("orders of other shops come back broken", ORDERS, " && !is_of_other_shop(c.text(r.order))", ""),
    ("sales without Amazon's fee are Amazon's", UNITS, "if (!by_amazon) return std::nullopt;", "(void)by_amazon;"),
    ("what stands in for another payment is too little as well", REVERSALS, "if (c.paid_again.contains(r.row)) return", "if (false) return"),
    ("a payment for an order without a refund is owed", REVERSALS, "if (order) over->second", "if (refunded > 0) over->second"),
    ("a commission that was charged twice is to be given back twice", REFUNDS, "s.commission.value -= twice.over.value;", "(void)twice;"),
    ("previews are of every store", FEES, "if (!p->country.empty() && p->country != country) continue;", ""),
    ("units that were refunded first are left", ORDERS, "const std::int64_t of_it = std::min(settled, refund.units);", "const std::int64_t of_it = 0;"),
    ("a row is the other half of many", NETTING, " && halves_.insert(&r).second", ""),
    ("what was found by mistake stays found", NETTING, "take_back(*r);", "(void)0;"),
    ("what was booked as returned by mistake stays so", LEDGER, "rows[k].units -= same;", "(void)same;"),
    ("corrections of fees are no payment", FEES, "if (given_back) sum -=", "if (false) sum -="),
    ("what was found makes no disposal doubtful", WAREHOUSE, 'if (disposal.doubtful) f.terms.push_back({"G1", -20});', ""),
    ("a shipment that came later lacked units before", REVERSALS, "of->second = 0;", "(void)0;"),
    ("what the oldest row says holds", LEDGER, "std::tie(newest.day, newest.row) < std::tie(row.day, row.row)", "std::tie(row.day, row.row) < std::tie(newest.day, newest.row)"),
    ("units found by ASIN are kept nowhere", LEDGER, "found_[row.asin].push_back(row);", "(void)row;"),
    ("receipts are counted for no shipment", LEDGER, "    r.units += row.quantity;\n", ""),
    ("products without rows are passed over", DETECT, "if (!seen_.contains(product.fnsku)) see(product, {});", "(void)product;"),
    ("reversals link to nothing", CASE, "      p->reversed += units;\n", ""),
]


def run(*command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)


def notices(tests):
    """The tests of rules by example first; where they see nothing, those of whole sellers."""
    for suite in (["--test-suite=detect", "-sf=*unit/detect*"], ["--test-suite=detect,accuracy"]):
        if subprocess.run([tests, "--minimal", *suite], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0:
            return True
    return False


def main():
    asked = sys.argv[1:]
    wanted = [m for m in MUTATIONS if not asked or any(part in m[0] for part in asked)]
    sources = PLACE / "tree" / "src" / "detect"
    for name, file, old, _ in MUTATIONS:
        count = (ROOT / "src" / "detect" / file).read_text().count(old)
        if count != 1:
            sys.exit(f"mutations.py: {name}: its text stands {count} times in {file}; it must stand once")
    PLACE.mkdir(parents=True, exist_ok=True)
    files = run("git", "ls-files", "-z", cwd=ROOT).stdout.split("\0")
    for file in filter(None, files):
        to = PLACE / "tree" / file
        of = ROOT / file
        if to.exists() and to.read_bytes() == of.read_bytes():
            continue
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(of, to)
    build = PLACE / "build"
    made = run("cmake", "-S", str(PLACE / "tree"), "-B", str(build), "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_CXX_FLAGS=-O1", "-DAMZSYNC_WERROR=OFF")
    if made.returncode != 0:
        sys.exit(made.stdout)
    tests = None
    survivors = []
    for name, file, old, new in [("as it is", NETTING, "", ""), *wanted]:
        path = sources / file
        original = path.read_text()
        if old:
            path.write_text(original.replace(old, new))
        try:
            built = run("cmake", "--build", str(build), "--target", "amzsync-tests")
            if built.returncode != 0:
                sys.exit(f"mutations.py: {name}: does not build\n{built.stdout[-3000:]}")
            tests = tests or next(p for p in build.rglob("amzsync-tests") if p.is_file())
            noticed = notices(tests)
        finally:
            path.write_text(original)
        if not old:
            if noticed:
                sys.exit("mutations.py: the tests fail without any change")
            continue
        print(f"{'noticed' if noticed else 'NOT NOTICED'}: {name}", flush=True)
        if not noticed:
            survivors.append(name)
    print(f"{len(wanted) - len(survivors)} of {len(wanted)} are noticed")
    sys.exit(1 if survivors else 0)


main()
