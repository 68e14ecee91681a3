"""What columns are called, in lower case: the words that ``guess`` looks for.

Those of bands and of photometry are in ``_band_names``.
"""

from __future__ import annotations

__all__ = [
    "DEC",
    "EXTRAS",
    "ID",
    "PREFERRED",
    "RA",
    "SELECTED",
    "TILE",
    "Z_SPEC",
]

ID = [
    "id",
    "object_id",
    "objectid",
    "galaxy_id",
    "galaxyid",
    "source_id",
    "sourceid",
    "obj_id",
    "objid",
    "coadd_object_id",
    "coadd_objects_id",
    "diaobjectid",
    "specobjid",
    "catalog_id",
    "catalogue_id",
    "cid",
    "ident",
    "number",
    "seq",
]
"""Columns that identify a galaxy, the likeliest name first."""
RA = [
    "ra",
    "ra_deg",
    "radeg",
    "raj2000",
    "ra_j2000",
    "ra_icrs",
    "alpha_j2000",
    "coord_ra",
    "right_ascension",
    "alpha",
]
"""Right ascension, the likeliest name first."""
DEC = [
    "dec",
    "dec_deg",
    "decdeg",
    "dej2000",
    "decj2000",
    "dec_j2000",
    "de_icrs",
    "dec_icrs",
    "delta_j2000",
    "coord_dec",
    "declination",
    "decl",
    "de",
    "delta",
]
"""Declination, the likeliest name first."""
Z_SPEC = [
    "z_spec",
    "zspec",
    "spec_z",
    "specz",
    "z_specz",
    "zsp",
    "zs",
    "z_s",
    "spec_redshift",
    "redshift_spec",
    "redshift",
    "spectroscopic_redshift",
    "zbest_spec",
]
"""Spectroscopic redshift, the likeliest name first."""
SELECTED = [
    "selected",
    "is_selected",
    "spec_selected",
    "in_spec",
    "is_spec",
    "has_spec",
    "has_specz",
]
"""Whether the spectroscopic survey selected the galaxy, the likeliest name first."""
TILE = [
    "tile",
    "tile_id",
    "tileid",
    "tilename",
    "tile_name",
    "healpix",
    "healpix_id",
    "hpix",
    "hpx",
    "ipix",
    "healpixel",
    "pixel",
    "tract",
    "patch",
    "field",
    "field_id",
    "fieldid",
    "chunk",
    "region",
]
"""Patch of sky, the likeliest name first."""
EXTRAS = {
    "size": "size half_light_radius hlr r50 flux_radius petror50_r effective_radius reff r_eff",
    "ellipticity": "ellipticity ellip ell",
    "concentration": "concentration conc",
    "density": "density local_density env_density overdensity",
}
"""Optional columns: ours, and what they are called."""
PREFERRED = ("cmodel", "cm", "model", "auto", "", "gaap", "kron", "petro", "aper", "psf")
"""Families in order of how well they hold total colours of galaxies: breaks ties in bands."""
