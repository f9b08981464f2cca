"""One financial rule, one test that a credit analyst checks by eye: test deals, a few months each.

Every case is paid twice, by the plain twin and by the kernel; both must give the figures written
here. The deals stand in tests/data/deals.
"""

from __future__ import annotations

import pytest
from reference.deal_cases import PAYERS, Month, test_deal


@pytest.fixture(params=sorted(PAYERS))
def pay(request):
    """Pay a deal by the twin, then by the kernel."""
    return PAYERS[request.param]


def near(amount):
    """Compare amounts to a hundredth of a cent."""
    return pytest.approx(amount, abs=1e-4)


# (a) A net WAC cap that binds.

CAPPED = Month(interest=4_500, principal=20_000, net_rate=48_720 / 1_020_000)


def test_a_binding_cap_cuts_interest_after_the_notional_coupon(pay):
    # The pool earns 48,720 a year, 12,000 of it for IO: 36,720 on 1,020,000 is 3.6 %.
    (month,) = pay(test_deal("net-wac-cap"), 1_020_000, [CAPPED], index_rate=0.01)
    assert month.interest == near({"A-1": 1_800, "A-2": 1_200, "IO": 1_000})
    assert month.shortfall == near({"A-1": 0, "A-2": 0, "IO": 0})  # a cut is no shortfall


def test_what_the_cap_cut_is_paid_pro_rata_in_its_step(pay):
    # 6 % for 29 days on 600,000 is 2,900, 1,100 of it cut; A-2: 1,333.33, 133.33 cut.
    (month,) = pay(test_deal("net-wac-cap"), 1_020_000, [CAPPED], index_rate=0.01)
    assert month.steps["cap_carryover"] == near(500)
    assert month.carryover["A-1"] == near(500 * 1_100 / (1_100 + 400 / 3))
    assert month.steps["residual"] == near(0)


def test_cut_interest_is_carried_with_interest_at_the_full_rate(pay):
    rich = Month(interest=7_500, net_rate=0.09)
    _, month = pay(test_deal("net-wac-cap"), 1_020_000, [CAPPED, rich], index_rate=0.01)
    left = 1_100 + 400 / 3 - 500
    a1 = 1_100 * left / (1_100 + 400 / 3)
    due = a1 * (1 + 0.06 * 28 / 360) + (left - a1) * (1 + 0.04 / 12)
    assert month.steps["interest"] == near(580_000 * 0.06 * 28 / 360 + 400_000 * 0.04 / 12 + 1_000)
    assert month.steps["cap_carryover"] == near(due)
    assert month.steps["residual"] == near(7_500 - month.steps["interest"] - due)


# (b) A constant share of principal once another class is retired.


def shared(pay):
    """Pay 120,000, 100,000 and 250,000 of principal."""
    months = [Month(10_000, amount) for amount in (120_000, 100_000, 250_000)]
    return pay(test_deal("fixed-share"), 1_000_000, months)


def test_before_a1_is_retired_principal_runs_in_order(pay):
    # A-1 is retired within the month; what is left of it goes on in order, A-2 still waits.
    month = shared(pay)[0]
    assert month.principal == near({"A-1": 100_000, "A-2": 0, "A-3": 20_000, "A-4": 0})


def test_then_a2_takes_its_constant_share_and_the_rest_runs_in_order(pay):
    _, second, third = shared(pay)
    assert second.principal == near({"A-1": 0, "A-2": 42_233, "A-3": 57_767, "A-4": 0})
    expected = {"A-1": 0, "A-2": 105_582.50, "A-3": 122_233, "A-4": 22_184.50}
    assert third.principal == near(expected)


def test_premium_and_interest_come_first_and_the_rest_is_residual(pay):
    month = shared(pay)[0]
    assert month.steps["premium"] == near(100)  # 0.12 % / 12 of 1,000,000
    assert month.interest == near({"A-1": 250, "A-2": 1_200, "A-3": 700, "A-4": 1_200})
    assert month.steps["residual"] == near(10_000 - 100 - 3_350)


def test_a_lockout_share_is_of_the_pro_rata_part(pay):
    # A-4 is 30 % of the notes: 45 % of its part of 100,000 is 13,500, three times it 90,000.
    ladder = {"rule": "lockout", "class": "A-4", "share_after": 3.0,
              "shares": [{"until_payment": 2, "share": 0.45}]}  # fmt: skip
    deal = test_deal("fixed-share", principal=[ladder, {"rule": "sequential"}])
    first, second = pay(deal, 1_000_000, [Month(10_000, 100_000), Month(10_000, 100_000)])
    assert first.principal == near({"A-1": 86_500, "A-2": 0, "A-3": 0, "A-4": 13_500})
    part = 3 * 286_500 / 900_000 * 100_000
    assert second.principal["A-4"] == near(part)
    assert second.principal["A-1"] == near(100_000 - part)


def test_pro_rata_principal_follows_opening_balances(pay):
    deal = test_deal("fixed-share", principal=[{"rule": "pro_rata"}])
    (month,) = pay(deal, 1_000_000, [Month(10_000, 100_000)])
    assert month.principal == near({"A-1": 10_000, "A-2": 40_000, "A-3": 20_000, "A-4": 30_000})


# (c) Senior, mezzanine, subordinate: premium on the senior class, OC beside subordination.

POOR = [Month(8_000, 50_000, 10_000), Month(4_000, 10_000, 90_000)]


def test_premium_is_on_the_senior_class_only(pay):
    month = pay(test_deal("subordinated"), 1_000_000, POOR)[0]
    assert month.steps["premium"] == near(80)  # 0.12 % / 12 of 800,000
    assert month.interest == near({"S": 2_000, "M": 600, "B": 600})


def test_oc_takes_a_loss_that_excess_interest_does_not(pay):
    # 58,000 less 3,280 leaves 54,720 of the 60,000 that keep OC at 20,000.
    month = pay(test_deal("subordinated"), 1_000_000, POOR)[0]
    assert month.steps["hold_oc"] == near(54_720)
    assert month.oc == near(20_000 - 5_280)
    assert month.writedown == near({"S": 0, "M": 0, "B": 0})


def test_the_deficiency_of_s_and_m_is_cured_before_interest_of_b(pay):
    # S and M are 865,280 against a pool of 840,000: 25,280 is due before B's interest.
    month = pay(test_deal("subordinated"), 1_000_000, POOR)[1]
    assert month.steps["cover S"] == near(0)
    cash = 14_000 - 74.528 - 1_863.20 - 600
    assert month.steps["cover S and M"] == near(cash)
    assert month.principal == near({"S": cash, "M": 0, "B": 0})
    assert month.shortfall == near({"S": 0, "M": 0, "B": 600})


def test_losses_are_written_down_from_below(pay):
    month = pay(test_deal("subordinated"), 1_000_000, POOR)[1]
    excess = 925_280 - 11_462.272 - 840_000
    assert month.writedown == near({"S": 0, "M": excess - 60_000, "B": 60_000})
    assert month.oc == near(0)


def test_oc_that_returns_writes_up_the_most_senior_first(pay):
    # 29,000: premium, S and M their interest, 20,000 cures, B its 600 with 1 % interest, the
    # rest builds OC, which reverses writedowns of M.
    month = pay(test_deal("subordinated"), 1_000_000, [*POOR, Month(9_000, 20_000)])[2]
    m = 120_000 - (925_280 - 11_462.272 - 840_000 - 60_000)
    s = 745_280 - 11_462.272
    built = 29_000 - s * (0.0001 + 0.0025) - m * 0.005 - 20_000 - 606
    assert month.steps["cover S and M"] == near(20_000)
    assert month.steps["interest B"] == near(606)
    assert month.steps["build_oc"] == near(built)
    assert month.write_up == near({"S": 0, "M": built, "B": 0})
    assert month.balance == near({"S": s - 20_000 - built, "M": m + built, "B": 0})


RUINED = [Month(8_000, 50_000, 10_000), Month(4_000, 10_000, 220_000)]


def test_the_insurer_pays_only_what_the_senior_class_exceeds_the_pool_by(pay):
    month = pay(test_deal("subordinated"), 1_000_000, RUINED)[1]
    cash = 14_000 - 74.528 - 1_863.20
    assert month.steps["cover S"] == near(cash)
    assert month.draw_principal == near(745_280 - cash - 710_000)
    assert month.draw_interest == near(0)  # M and B are not insured
    assert month.writedown == near({"S": 0, "M": 120_000, "B": 60_000})
    assert month.claim == near(month.draw_principal)


def test_without_the_insurer_the_senior_class_is_written_down_too(pay):
    month = pay(test_deal("subordinated"), 1_000_000, RUINED, insurer_pays=False)[1]
    # Nor is there a premium, in this month or the one before.
    s = 800_000 - (58_000 - 3_200)
    cash = 14_000 - s * 0.0025
    assert month.draw_principal == 0
    assert month.writedown == near({"S": s - cash - 710_000, "M": 120_000, "B": 60_000})


def test_the_claim_accrues_and_is_reimbursed_before_oc_is_built(pay):
    months = [*RUINED, Month(9_000, 20_000)]
    _, second, third = pay(test_deal("subordinated"), 1_000_000, months, index_rate=0.01)
    due = second.claim * (1 + 0.03 / 12)
    # M and B are gone; their unpaid interest of 600 each has its rank, with interest on it.
    cash = 29_000 - 710_000 * 0.0026 - 20_000 - 600 * 1.005 - 600 * 1.01
    assert third.steps["cover S"] == near(20_000)
    assert third.steps["reimbursement"] == near(min(cash, due))
    assert third.claim == near(due - cash)
    assert third.steps["build_oc"] == near(0)


# (d) An OC target that moves with delinquencies, and triggers.

LATE = [
    Month(10_000, 50_000, late={"90": 8_000}),
    Month(10_000, 50_000, late={"90": 16_000, "60": 40_000}),
    Month(10_000, 40_000, late={"90": 4_000}),
    Month(40_000, 29_000, 31_000),
    Month(10_000, 50_000, recoveries=2_000),
]


def late(pay, number):
    """Pay up to a payment number and return that month."""
    return pay(test_deal("delinquency-target"), 1_000_000, LATE[: number - 1])[-1]


def test_the_target_is_a_multiple_of_average_delinquency_where_that_is_more(pay):
    deal = test_deal("delinquency-target")
    oc = deal.overcollateralization.model_copy(update={"triggers": ()})
    deal = deal.model_copy(update={"overcollateralization": oc})
    first, second = pay(deal, 1_000_000, LATE[:2])
    assert first.oc_target == near(20_000)  # twice 8,000 is less
    assert second.oc_target == near(24_000)  # twice the average of 8,000 and 16,000


def test_a_tripped_trigger_raises_the_target(pay):
    # 56,000 of 900,000 is 6.2 %, above 5 %: the target is 30,000, and all excess builds OC.
    month = late(pay, 3)
    value, threshold, is_tripped = month.triggers["delinquency"]
    assert (value, threshold, is_tripped) == (near(56 / 900), near(0.05), True)
    assert month.oc_target == near(30_000)
    assert month.steps["build_oc"] == near(60_000 - 3_720 - 50_000)
    assert month.oc == near(26_280)


def test_a_cured_trigger_lowers_the_target_and_oc_is_released(pay):
    month = late(pay, 4)
    assert month.triggers["delinquency"] == (near(4 / 860), near(0.04), False)
    assert month.oc_target == near(20_000)
    assert month.steps["hold_oc"] == near(40_000 - 6_280)
    assert month.oc == near(20_000)
    assert month.steps["residual"] == near(50_000 - 873_720 * 0.004 - 33_720)


def test_cumulative_losses_stop_the_step_down(pay):
    # From payment 5 the target would be 2 % of 800,000; losses of 3.1 % keep it at 20,000.
    month = late(pay, 5)
    assert month.triggers["cumulative loss"] == (near(0.031), near(0.03), True)
    assert month.oc_target == near(20_000)
    assert month.oc == near(20_000)


def test_a_trigger_that_does_not_cure_stays_tripped(pay):
    # A recovery of 2,000 brings losses to 2.9 %, below the threshold.
    month = late(pay, 6)
    assert month.triggers["cumulative loss"] == (near(0.029), near(0.03), True)
    assert month.oc_target == near(20_000)


# (e) OC released to the certificates at the step-down.

RELEASE = [Month(12_000, 30_000), Month(12_000, 370_000), Month(5_000, 100_000),
           Month(3_000, 300_000)]  # fmt: skip


def released(pay, number):
    """Pay up to a payment number and return that month."""
    return pay(test_deal("oc-release"), 1_000_000, RELEASE[: number - 1])[-1]


def test_excess_interest_builds_oc_up_to_its_target(pay):
    first, second = released(pay, 2), released(pay, 3)
    assert first.steps["build_oc"] == near(12_000 - 3_920)
    assert first.steps["residual"] == near(0)
    assert second.steps["build_oc"] == near(29_400 - 28_080)
    assert second.oc == near(29_400)
    assert second.steps["residual"] == near(12_000 - 941_920 * 0.004 - 1_320)


def test_at_the_step_down_oc_is_released_to_the_certificates(pay):
    month = released(pay, 4)
    assert month.oc_target == near(20_000)  # 4 % of 500,000
    assert month.steps["hold_oc"] == near(100_000 - 9_400)
    assert month.steps["residual"] == near(105_000 - 570_600 * 0.004 - 90_600)
    assert month.oc == near(20_000)


def test_the_floor_holds_when_the_pool_is_small(pay):
    month = released(pay, 5)
    assert month.oc_target == near(10_000)  # 1 % of the original pool, not 4 % of 200,000
    assert month.oc == near(10_000)


def test_before_the_build_date_oc_is_neither_built_nor_released(pay):
    oc = {"target": "5000.00", "build_from_payment": 4}
    deal = test_deal("oc-release", overcollateralization=oc)
    months = pay(deal, 1_000_000, RELEASE[:3])
    assert [month.oc for month in months] == near([20_000, 20_000, 5_000])
    assert [month.steps["build_oc"] for month in months] == near([0, 0, 0])


# (f) Target balances, fees, interest by seniority, nobody insuring.


def test_fees_on_pool_notes_and_fixed_with_their_cap(pay):
    (month,) = pay(test_deal("target-balance"), 1_000_000, [Month(6_000, 50_000)])
    assert month.steps["trustee"] == near(100)
    assert month.steps["servicer"] == near(450)  # 0.6 % / 12 of 1,000,000 is 500
    assert month.steps["administrator"] == near(50)  # 0.12 % / 12 of P


def test_the_planned_class_comes_down_to_its_balance_and_the_others_share(pay):
    (month,) = pay(test_deal("target-balance"), 1_000_000, [Month(6_000, 50_000)])
    assert month.steps["collections"] == near(50_000)
    assert month.principal == near({"P": 30_000, "C": 16_000, "D": 4_000})
    assert month.steps["residual"] == near(6_000 - 600 - 4_600)


def test_after_its_schedule_the_planned_class_has_no_target_left(pay):
    months = [Month(6_000, 0)] * 3 + [Month(6_000, 450_000)]
    month = pay(test_deal("target-balance"), 1_000_000, months)[-1]
    assert month.principal == near({"P": 450_000, "C": 0, "D": 0})


def test_interest_by_seniority_leaves_the_junior_classes_short(pay):
    # 4,200 less fees of 600: P its 2,000, C 1,600 of 2,000, D nothing of 600.
    (month,) = pay(test_deal("target-balance"), 1_000_000, [Month(3_200, 1_000)])
    assert month.interest == near({"P": 2_000, "C": 1_600, "D": 0})
    assert month.shortfall == near({"P": 0, "C": 400, "D": 600})
    assert month.steps["collections"] == near(0)


def test_unpaid_interest_is_carried_forward_with_interest(pay):
    months = [Month(3_200, 0), Month(16_000, 0)]
    second = pay(test_deal("target-balance"), 1_000_000, months)[1]
    # 3,200 less 600 leaves C 600 of its 2,000 and D nothing of its 600.
    assert second.interest["C"] == near(2_000 + 1_400 * 1.005)
    assert second.interest["D"] == near(600 + 600 * 1.006)


def test_notes_in_excess_of_pool_are_written_down_pro_rata(pay):
    (month,) = pay(test_deal("target-balance"), 1_000_000, [Month(3_200, 1_000)])
    assert month.writedown == near({"P": 500, "C": 400, "D": 100})


def test_implied_notes_stand_until_the_end(pay):
    deal = test_deal("target-balance", undercollateralization="implied")
    first, last = pay(deal, 1_000_000, [Month(3_200, 1_000), Month(4_000, 0)], last=True)
    assert first.writedown == near({"P": 0, "C": 0, "D": 0})
    assert first.oc == near(-1_000)
    assert sum(last.writedown.values()) == near(sum(first.balance.values()))
    assert last.balance == near({"P": 0, "C": 0, "D": 0})


@pytest.mark.parametrize(
    ("name", "pool", "months"),
    [
        ("net-wac-cap", 1_020_000, [CAPPED] * 3),
        ("fixed-share", 1_000_000, [Month(10_000, 100_000)] * 3),
        ("subordinated", 1_000_000, [*RUINED, Month(9_000, 20_000)]),
        ("delinquency-target", 1_000_000, LATE),
        ("oc-release", 1_000_000, RELEASE),
        ("target-balance", 1_000_000, [Month(3_200, 1_000), Month(16_000, 40_000)]),
    ],
)
def test_every_dollar_is_in_a_named_step(pay, name, pool, months):
    for month, paid in zip(months, pay(test_deal(name), pool, months), strict=True):
        cash = month.interest + month.principal + month.recoveries
        assert sum(paid.steps.values()) == near(cash)
