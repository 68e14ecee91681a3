"""What the network sees of a galaxy: one column per band, a few channels each."""

from __future__ import annotations

import numpy as np

from hbmlc_models.arrays import FloatArray
from hbmlc_models.photometry import Photometry
from hbmlc_models.selection.context import CONTEXT
from hbmlc_models.selection.frame import LuptitudeFrame

__all__ = ["CHANNELS", "CONTEXT_CHANNELS", "network_inputs"]

N_PHOTOMETRIC = 5
"""First channels: colour to the reference, signal to noise, error, observed, brightness."""
CONTEXT_CHANNELS = slice(N_PHOTOMETRIC, N_PHOTOMETRIC + len(CONTEXT))
"""Channels of the optional columns, which a task may withhold."""
CHANNELS = CONTEXT_CHANNELS.stop
"""Channels of the input."""
MAG_PIVOT = 23.0
"""Brightness that the network sees as zero [mag]."""


def network_inputs(
    photometry: Photometry, frame: LuptitudeFrame, context: FloatArray
) -> FloatArray:
    """Inputs of the network, ``(n_galaxies, CHANNELS, n_bands)`` float32, all finite.

    ``context`` holds the standard scores of the optional columns, ``(n_galaxies, n_context,
    n_bands)``.
    """
    # Tasks are observed with stated errors, here as there.
    values, errors = frame.as_stated.luptitudes(photometry)
    observed = photometry.is_observed
    brightness = frame.reference_mag(photometry)
    colour = np.where(observed, values - brightness[:, None], 0.0)
    signal = np.where(observed, photometry.flux / np.where(observed, photometry.flux_err, 1), 0.0)
    channels = [
        np.clip(colour, -6, 6) / 2,
        np.arcsinh(signal) / 4,
        np.where(observed, np.clip(errors, 0, 1.5), 1.5),
        observed.astype(float),
        np.broadcast_to((brightness[:, None] - MAG_PIVOT) / 2, colour.shape),
    ]
    return np.concatenate([np.stack(channels, axis=1), context], axis=1).astype(np.float32)
