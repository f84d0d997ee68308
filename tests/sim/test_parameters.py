"""Tests of the table of parameters: complete, consistent, and refusing by name."""

import math

import pytest

from sim.parameters import PARAMETERS, check, settled


def test_every_default_lies_in_its_range() -> None:
    for name, known in PARAMETERS.items():
        assert known.name == name
        assert name.isascii() and name.isidentifier()
        assert known.low <= known.default <= known.high, name
        assert known.unit and known.note
        assert check(name, known.default) == known.default


def test_the_symbols_that_users_know_are_there() -> None:
    known = (
        "gravity N A_sub f_A f_o c_BR c_PDAC pH_BR pH0 s G_PM theta_j n_block k_surf D_PM k_ex "
        "G_PDAC t1 t2 A1 phi_loose t_rinse phi_strip d_bl a570 r280 s_scat f_DA t_DA tau_M k_hv "
        "rho_PM d_PM f_agg d_agg k_agg delta_flow v_drag V_bath V_rinse n_rinse V_cell r_res "
        "E_evap t_dry_eff Ea_ads T T_dmg p_bub sig_A drift_A sig_QCM drift_QCM acc_pump rep_pump "
        "sig_layer sig_xy0 n_h pH_drift p_valve"
    )
    assert set(known.split()) <= set(PARAMETERS)


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="'sig_layr'.*did you mean 'sig_layer'"):
        check("sig_layr", 1.0)
    with pytest.raises(ValueError, match="no parameter 'quux'$"):
        check("quux", 1.0)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -0.1, 2.1])
def test_a_value_out_of_range_is_refused_by_name(bad: float) -> None:
    with pytest.raises(ValueError, match="gravity"):
        check("gravity", bad)


def test_a_truth_value_is_no_number() -> None:
    with pytest.raises(ValueError, match="must be a number in g"):
        check("gravity", True)


def test_what_is_given_wins_over_defaults() -> None:
    values = settled({"sig_layer": 0})
    assert values["sig_layer"] == 0.0
    assert values["theta_j"] == 0.95
    assert all(isinstance(value, float) for value in values.values())
