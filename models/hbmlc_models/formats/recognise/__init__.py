"""Recognition of an upload: which column holds what, from names, units and the first rows.

A name is cut into words (``name_words``), read as photometry of a band (``band_names``), gathered
into families of columns that differ in the band only (``families``), of which the best are chosen
(``choice``) and given units (``band_sources``, ``flux_units``); the errors are judged
(``error_columns``), and ids, positions (``identity``) and labels (``redshifts``) found.
"""

from __future__ import annotations

from hbmlc_models.formats.recognise.band_names import Quantity
from hbmlc_models.formats.recognise.families import rank_names
from hbmlc_models.formats.recognise.ids import companions_of
from hbmlc_models.formats.recognise.recognition import Recognised, recognise
from hbmlc_models.formats.recognise.sources import BandSource

__all__ = ["BandSource", "Quantity", "Recognised", "companions_of", "rank_names", "recognise"]
