"""The numbers of the world: name, unit, default, range, and whether the default is a guess.

Never imports the controller and never converts units: a caller gives each number in the unit
named here. A range is what is plausible; where 0 switches an effect off, it starts at 0.
"""

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Parameter:
    """One number of the world. `guess`: no source opened; `acts`: this world uses it."""

    name: str
    unit: str
    default: float
    low: float
    high: float
    guess: bool
    acts: bool
    note: str


_ROWS = (
    # What is asked for: the recipe and the bench file speak first; a value given here wins.
    ("gravity", "g", 1.0, 0.0, 2.0, False, True, "in units of standard gravity"),
    ("N", "-", 200, 1, 500, False, False, "bilayers; for the record, the recipe counts them"),
    ("A_sub", "cm2", 2.0, 0.1, 50.0, True, True, "coated area, both sides"),
    ("f_A", "-", 1.0, 1.0, 5.0, True, True, "area factor; 1 is flat, a woven mesh about 3"),
    ("f_o", "-", 0.0, 0.0, 0.6, True, True, "open fraction; 0 is flat, a woven mesh about 0.3"),
    ("c_BR", "mg/mL", 1.0, 0.1, 5.0, False, True, "if given, what the BR bath really holds"),
    ("c_PDAC", "mg/mL", 1.0, 0.1, 10.0, False, True, "if given, what the PDAC bath really holds"),
    ("pH_BR", "-", 9.0, 4.0, 11.0, False, True, "if given, the true pH of the BR bath"),
    # Orientation and adsorption of purple membrane.
    ("pH0", "-", 7.0, 6.5, 7.5, False, True, "orientation switches here"),
    ("s", "1/pH", 2.0, 1.0, 4.0, True, True, "steepness of the orientation switch"),
    ("G_PM", "ng/cm2", 530.0, 450.0, 560.0, False, True, "mass of a full monolayer, one side"),
    ("theta_j", "-", 0.95, 0.55, 1.1, True, True, "saturation coverage of a dip"),
    ("n_block", "-", 1.5, 1.0, 3.0, True, True, "blocking exponent; 1 Langmuir, 3 late RSA"),
    ("k_surf", "m/s", 1e-7, 5e-9, 1e-6, True, True, "surface step of BR adsorption"),
    ("D_PM", "m2/s", 1.4e-12, 0.7e-12, 3e-12, False, True, "diffusion of a membrane patch"),
    ("k_ex", "mL/(mg s)", 3e-5, 0.0, 2e-4, True, True, "overgrowth, monolayers per s at 1 mg/mL"),
    # Polyelectrolytes.
    ("G_PDAC", "ng/cm2", 50.0, 10.0, 200.0, False, True, "polyelectrolyte mass per layer"),
    ("t1", "s", 10.0, 1.0, 60.0, True, True, "fast arrival"),
    ("t2", "s", 150.0, 30.0, 1200.0, True, True, "slow rearrangement"),
    ("A1", "-", 0.7, 0.4, 0.9, True, True, "share of the fast process"),
    ("phi_loose", "-", 0.10, 0.0, 0.3, True, True, "loose BR on top of the bound layer"),
    ("t_rinse", "s", 60.0, 10.0, 300.0, True, True, "time constant of the loose share"),
    ("phi_strip", "-", 0.5, 0.0, 1.0, True, True, "share of the loose BR a polycation strips"),
    # What the layers measure.
    ("d_bl", "nm", 5.5, 4.5, 6.5, False, True, "thickness of a full bilayer"),
    ("a570", "mOD", 1.20, 0.9, 1.25, False, True, "absorbance of a full monolayer, one side"),
    ("r280", "-", 1.9, 1.6, 2.5, True, True, "A280/A570"),
    ("s_scat", "-", 0.02, 0.0, 0.2, True, True, "scatter A700/A570 of a clean film"),
    ("s_agg", "-", 0.02, 0.0, 0.2, True, True, "scatter added per 1 % of aggregates"),
    ("f_DA", "-", 0.12, 0.0, 0.15, True, True, "loss of A570 on dark adaptation"),
    ("t_DA", "s", 3600.0, 600.0, 20000.0, True, True, "half-time of dark adaptation"),
    ("tau_M", "s", 60.0, 0.01, 1800.0, False, True, "life of the M state in the film"),
    ("k_hv", "cm2/(uW s)", 4.4e-4, 3e-4, 5e-4, False, True, "excitation per probe intensity"),
    ("dose_LA", "uJ/cm2", 500.0, 50.0, 6e4, True, True, "light that adapts a film to 1/e"),
    ("ambient", "uW/cm2", 0.5, 0.0, 1000.0, True, True, "dim light on the film at all times"),
    ("probe", "uW/(A cm2)", 1000.0, 0.0, 1e6, True, True, "light of the LED at the film"),
    ("thermo", "%/K", 0.3, 0.0, 1.0, True, True, "A570 that a warmer film lacks"),
    ("pv", "mV", 1.0, 0.0, 100.0, True, True, "photovoltage of an oriented monolayer"),
    # Suspension.
    ("rho_PM", "kg/m3", 1180.0, 1150.0, 1200.0, True, True, "density of a patch"),
    ("d_PM", "um", 0.5, 0.2, 1.5, True, True, "diameter of a patch"),
    ("f_agg", "-", 0.02, 0.0, 0.2, True, True, "mass share of aggregates"),
    ("d_agg", "um", 3.0, 1.0, 20.0, True, True, "diameter of aggregates"),
    ("k_agg", "1/h", 1e-3, 0.0, 0.05, True, True, "growth of aggregates at low salt"),
    ("delta_flow", "um", 20.0, 10.0, 200.0, True, True, "boundary layer, stirred or flowing"),
    ("stir", "-", 1.0, 0.0, 1.0, True, True, "1 stirred or flowing, 0 still"),
    ("K_mix", "m2/s", 5e-9, 1e-10, 1e-6, True, True, "mixing that lifts aggregates in a bath"),
    ("facing", "-", 0.0, 0.0, 1.0, True, True, "0 the coated faces stand upright, 1 they look up"),
    # Liquids.
    ("v_drag", "uL/cm2", 0.23, 0.0, 0.7, False, True, "drag-out per cm2 of side at 2 mm/s, 1 g"),
    ("v_drag_mesh", "uL/cm2", 5.0, 2.0, 20.0, True, True, "hold-up of a mesh; caps any drag-out"),
    ("v_clamp", "uL", 2.5, 0.0, 50.0, True, True, "drop held by clamp and edge, per dip"),
    (
        "V_bath",
        "mL",
        20.0,
        1.0,
        500.0,
        True,
        True,
        "if given, what every bath but the rinses holds",
    ),
    ("V_rinse", "mL", 20.0, 1.0, 500.0, True, True, "if given, what every rinse bath holds"),
    ("n_rinse", "-", 3, 1, 5, True, False, "rinses per side; for the record, the recipe says it"),
    ("V_cell", "mL", 1.0, 0.1, 10.0, True, True, "if given, the flow cell's true volume"),
    ("r_res", "-", 0.05, 0.01, 0.2, True, True, "if given, what stays in a drained flow cell"),
    ("E_evap", "kg/(m2 h)", 0.1, 0.0, 0.3, True, True, "open evaporation at 22 degC, 45 % RH"),
    ("E_lid", "kg/(m2 h)", 0.005, 0.0, 0.1, True, True, "evaporation under a lid"),
    ("age_BR", "d", 0.0, 0.0, 60.0, True, True, "age of the BR when it is filled in, at 22 degC"),
    ("k_age_BR", "1/d", 0.01, 0.0, 1.0, True, True, "BR that goes bad in its bath, 22 degC"),
    ("k_age_PDAC", "1/d", 0.0017, 0.0, 1.0, True, True, "polyelectrolyte that goes bad, 22 degC"),
    ("Ea_age", "kJ/mol", 39.0, 0.0, 120.0, True, True, "activation energy of ageing"),
    ("t_dry_eff", "-", 0.3, 0.0, 0.8, True, True, "next layer's loss after drying"),
    ("dry_scat", "-", 0.05, 0.0, 0.5, True, True, "scatter added by drying"),
    # Heat.
    ("Ea_ads", "kJ/mol", 20.0, 0.0, 40.0, True, True, "activation energy of adsorption"),
    ("T", "degC", 22.0, 4.0, 35.0, False, True, "room, and the baths at the start"),
    ("T_dmg", "degC", 45.0, 45.0, 80.0, False, True, "onset of damage to BR"),
    ("Ea_dmg", "kJ/mol", 172.0, 50.0, 400.0, False, True, "activation energy of the damage"),
    ("t_dmg", "s", 60.0, 1.0, 3600.0, True, True, "life of BR at 96 degC"),
    ("tau_heat", "s", 400.0, 10.0, 7200.0, True, True, "baths follow the thermostat"),
    ("tau_room", "s", 5400.0, 100.0, 86400.0, True, True, "baths follow the room, thermostat off"),
    # Faults of liquids and instruments.
    ("p_bub", "-", 0.02, 0.0, 0.2, True, True, "bubble per fill, not degassed"),
    ("p_bub_degassed", "-", 0.002, 0.0, 0.2, True, True, "bubble per fill, degassed"),
    ("sig_A", "mOD", 0.2, 0.0, 2.0, True, True, "photometer noise, rms of one reading"),
    ("drift_A", "mOD/h", 0.5, 0.0, 5.0, True, True, "photometer drift"),
    ("sig_QCM", "Hz", 0.3, 0.0, 2.0, True, True, "QCM noise"),
    ("drift_QCM", "Hz/h", 2.0, 0.0, 10.0, True, True, "QCM drift"),
    ("hydration", "-", 1.4, 1.0, 2.0, True, True, "wet mass on a QCM over dry mass"),
    ("acc_pump", "%", 1.0, 0.0, 5.0, False, True, "pump delivers so much more than asked"),
    ("rep_pump", "%", 0.1, 0.0, 2.0, False, True, "pump scatter, rms of one transfer"),
    ("sig_layer", "%", 3.0, 0.0, 15.0, True, True, "layer-to-layer scatter"),
    ("sig_xy0", "-", 0.20, 0.0, 0.5, True, True, "lateral CV of one layer"),
    ("n_h", "-", 0.5, 0.2, 0.5, True, True, "lateral CV falls as n to the minus this"),
    ("pH_drift", "1/h", -0.1, -1.0, 0.0, False, True, "pH drift, open, unbuffered"),
    ("pH_drift_buffered", "1/h", -0.01, -0.1, 0.0, False, True, "pH drift, open, 5 mM buffer"),
    ("buffered", "-", 1.0, 0.0, 1.0, True, True, "1: 5 mM buffer, 0: none"),
    ("p_valve", "-", 1e-5, 0.0, 1e-3, True, True, "selector sticks, per actuation"),
    # Plumbing of the flow bench.
    ("V_line", "uL", 5.0, 0.0, 500.0, True, True, "if given, true volume from selector to pump"),
    ("V_dead", "uL", 2.0, 0.0, 100.0, True, True, "if given, what truly stays in the syringe"),
    ("V_feed", "uL", 60.0, 0.0, 5000.0, True, True, "if given, from reservoir to selector"),
    ("degassed", "-", 1.0, 0.0, 1.0, True, True, "1: degassed liquids, p_bub_degassed; 0: p_bub"),
    ("p_pin", "-", 0.3, 0.0, 1.0, True, True, "a bubble in the cell sticks to a wall"),
    ("p_clear", "-", 0.8, 0.0, 1.0, True, True, "a stroke through the cell flushes a bubble"),
    ("R_tube", "kPa*min/mL", 0.4, 0.0, 20.0, True, True, "resistance of the tubing"),
    ("C_tube", "uL/kPa", 1.0, 0.1, 100.0, True, True, "what tubing and gas give way"),
    ("sig_p", "kPa", 0.1, 0.0, 5.0, True, True, "pressure noise, rms of one reading"),
    # The bench's own.
    ("led_W", "W/A", 1e-3, 1e-6, 1.0, True, True, "light at the photodiode, empty bath"),
    ("led_T", "%/K", 0.1, 0.0, 2.0, True, True, "light of the LED lost per K"),
    ("dark_W", "W", 2e-10, 0.0, 1e-6, True, True, "photodiode reading in the dark"),
    ("path", "cm", 1.0, 0.1, 10.0, True, True, "light path through the readout bath"),
    ("bottle", "mL", 100.0, 0.0, 5000.0, True, True, "stock in a feed bottle at the start"),
    ("tare", "g", 60.0, 0.0, 1000.0, True, True, "empty feed bottles on the balance"),
)

PARAMETERS: Mapping[str, Parameter] = MappingProxyType({row[0]: Parameter(*row) for row in _ROWS})


def check(name: str, value: float) -> float:
    """Return the value as a float; raise ValueError naming the parameter and what is allowed."""
    known = PARAMETERS.get(name)
    if known is None:
        near = difflib.get_close_matches(name, PARAMETERS, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"the world has no parameter {name!r}{hint}")
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"world parameter {name} must be a number in {known.unit}, got {value!r}")
    if not known.low <= value <= known.high:
        raise ValueError(
            f"world parameter {name} = {value:g} is outside {known.low:g}..{known.high:g} "
            f"{known.unit}; give a value in that range"
        )
    return float(value)


def settled(given: Mapping[str, float]) -> dict[str, float]:
    """Return every parameter's value: the default, or what was given, checked."""
    values = {name: float(known.default) for name, known in PARAMETERS.items()}
    values.update({name: check(name, value) for name, value in given.items()})
    return values
