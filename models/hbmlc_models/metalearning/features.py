"""What the network sees of a galaxy: one column per band, a few channels each."""

from __future__ import annotations

import numpy as np

from hbmlc_models.arrays import FloatArray
from hbmlc_models.photometry import Photometry
from hbmlc_models.selection.context import CONTEXT
from hbmlc_models.selection.frame import LuptitudeFrame

__all__ = ["CHANNELS", "network_inputs"]

CHANNELS = 5 + len(CONTEXT)
"""Channels: colour to the reference, signal to noise, error, observed, brightness; then context."""
MAG_PIVOT = 23.0
"""Brightness that the network sees as zero [mag]."""


def network_inputs(
    photometry: Photometry, frame: LuptitudeFrame, context: FloatArray
) -> FloatArray:
    """Inputs of the network, ``(n_galaxies, CHANNELS, n_bands)`` float32, all finite.

    ``context`` holds the standard scores of the optional columns, ``(n_galaxies, n_context)``.
    """
    values, errors = frame.luptitudes(photometry)
    observed = photometry.is_observed
    brightness = frame.reference_mag(photometry)
    colour = np.where(observed, values - brightness[:, None], 0.0)
    signal = np.where(observed, photometry.flux / np.where(observed, photometry.flux_err, 1), 0.0)
    same_in_all_bands = [(brightness - MAG_PIVOT) / 2, *context.T]
    channels = [
        np.clip(colour, -6, 6) / 2,
        np.arcsinh(signal) / 4,
        np.where(observed, np.clip(errors, 0, 1.5), 1.5),
        observed.astype(float),
        *(np.broadcast_to(channel[:, None], colour.shape) for channel in same_in_all_bands),
    ]
    return np.stack(channels, axis=1).astype(np.float32)
