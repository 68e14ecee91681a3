"""What columns are called, in lower case: the words that ``guess`` looks for.

Those of bands are in ``name_words``.
"""

from __future__ import annotations

__all__ = [
    "APERTURES",
    "DEC",
    "DEREDDENED",
    "EXTRAS",
    "ID",
    "INSTRUMENTS",
    "LINES",
    "NO_PHOTOMETRY",
    "PREFERRED",
    "RA",
    "SELECTED",
    "SPECTROSCOPIC",
    "TILE",
    "UNITS",
    "Z_QUALITY",
    "Z_SPEC",
    "word_set",
]


def word_set(text: str) -> frozenset[str]:
    """Words that stand one after the other."""
    return frozenset(text.split())


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
    "seqnr",
    "targetid",
    "target_id",
    "designation",
    "recno",
    "name",
    "object",
    "objname",
    "uid",
    "galid",
    "gal_id",
    "specid",
    "cataid",
    "num",
    "numbers",
    "nr",
    "thing_id",
    "bestobjid",
    "object_name",
    "iauname",
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
    "rightascension",
    "target_ra",
    "ramean",
    "ra_mean",
    "rastack",
    "raopt",
    "ra_2000",
    "ra2000",
    "ra_degree",
    "ra_degrees",
    "radegrees",
    "ra_hms",
    "alphawin_j2000",
    "alphapeak_j2000",
    "alpha_sky",
    "alpha2000",
    "alpha",
    "_raj2000",
    "_ra",
    "plug_ra",
    "plate_ra",
    "ra_obj",
    "obj_ra",
    "ra_gal",
    "racen",
    "ra_cen",
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
    "target_dec",
    "decmean",
    "dec_mean",
    "decstack",
    "decopt",
    "dec_2000",
    "dec2000",
    "dec_degree",
    "dec_degrees",
    "decdegrees",
    "dec_dms",
    "deltawin_j2000",
    "deltapeak_j2000",
    "delta_sky",
    "delta2000",
    "decl",
    "de",
    "delta",
    "_dej2000",
    "_de",
    "plug_dec",
    "plate_dec",
    "dec_obj",
    "obj_dec",
    "dec_gal",
    "deccen",
    "dec_cen",
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
PREFERRED = (
    "cmodel",
    "bdf",
    "sof",
    "mof",
    "model",
    "templfit",
    "gaap",
    "auto",
    "tot",
    "total",
    "",
    "kron",
    "petro",
    "aper",
    "psf",
    "fiber",
)
"""Kinds of photometry in order of how well they hold colours of galaxies: breaks ties in bands."""
APERTURES = word_set(
    "auto iso isocor aper apers ap model cmodel psf petro kron total tot best gaap optimal "
    "gaapoptimal ser sersic exp dev templfit mpro fiber fibertot mean raw free cm sof mof bdf "
    "wavg forced win calib cal corr app apparent stack obs observed int kid "
    "detection unif fit profile ab vega circ sys pstotal conv convolved psfmatched matched "
    "homogenized clear clearp"
)
"""Words that say how a flux was measured; numbers among the words do, too."""
DEREDDENED = frozenset({"dered", "dereddened", "corrected", "unred", "extcorr", "deredden"})
"""Words of photometry that is corrected for the dust of the Milky Way."""
INSTRUMENTS = word_set(
    "hsc uvista vista viking video vircam cfht cfhtls cfis megacam megaprime wircam decam des "
    "delve ls legacy sdss ps1 panstarrs panstarr gpc1 kids omegacam vst atlas galex wise unwise "
    "allwise catwise irac spitzer scosmos splash swire seip nircam miri niriss acs wfc3 wfpc2 "
    "hst jwst nisp vis euclid mer ext lsst rubin comcam ukidss wfcam uds udsj twomass 2mass "
    "subaru sc suprime suprimecam supcam fourstar zfourge hawki isaac newfirm flamingos vimos "
    "wfi mosaic kpno int ctio roman wfi splus jplus jpas omega dr1 dr2 dr3 optical nir cand "
    "candels cosmos goods"
)
"""Names of instruments and surveys that stand before or after a band."""
UNITS = {
    "njy": "nJy",
    "ujy": "uJy",
    "mujy": "uJy",
    "microjy": "uJy",
    "mjy": "mJy",
    "jy": "Jy",
    "nmgy": "nanomaggy",
    "nanomaggy": "nanomaggy",
    "nanomaggies": "nanomaggy",
    "maggies": "maggy",
}
"""Units that people write into names of columns, and what they are."""
SPECTROSCOPIC = word_set(
    "sdss boss eboss desi gama vipers vvds zcosmos cosmos deep2 deep3 primus vandels vuds 2dfgrs "
    "2df 6dfgs 6df 2slaq wigglez ozdes muse mosdef fmos c3r2 legac lega goods egs hectomap shels "
    "ages 2mass muscles vimos deimos lris hectospec sami manga udsz acs3d kbss zfire lamost"
)
"""Surveys and instruments of spectra: a ``z`` with their name is a spectroscopic redshift."""
LINES = word_set(
    "alpha beta gamma delta ha hb hg hd halpha hbeta hgamma hdelta lya lyalpha oii oiii nii sii "
    "siii civ ciii heii mgii caii ca ii iii iv ew line lines lick d4000 sigma0 cont continuum "
    "neiii nev"
)
"""Words of emission lines and their surroundings."""
NO_PHOTOMETRY = word_set(
    "flag flags snr sn s2n ratio abs absmag extinction ebv ebmv color colour ccd count counts "
    "nobs chi chi2 chisq rchi2 rchisq class prob true truth intrinsic noiseless photz photoz mask "
    "masked transmission mw frac fracflux fracmasked fracin offset zp zeropoint kcorr lum mass "
    "radius rad r50 r90 hlr nmeas valid type dist pos ell pa mu sb sky bkg background weight "
    "wht exptime airmass epoch mjd nepochs anymask allmask maxval mag0 npix nexp num galdepth "
    "psfdepth phot warn warning qual quality spec specobj obj used use rest restframe fwhm "
    "ellipticity axis lim limit limits cov corrcoef var psfsize psffwhm psfmagdiff diff coeff "
    "reddening isoarea area stdev scatter extendedness star stel stellar conf"
)
"""Words of columns about a band that hold no photometry of it."""
Z_QUALITY = {
    "zwarn": {"equal": 0},
    "zwarning": {"equal": 0},
    "zflg": {"min": 3, "max": 4.9},
    "zflag": {"min": 3, "max": 4.9},
    "zflags": {"min": 3, "max": 4.9},
    "nq": {"min": 3},
    "zquality": {"min": 3},
    "zqual": {"min": 3},
    "qz": {"min": 3},
    "zq": {"min": 3},
    "qop": {"min": 3},
    "q": {"min": 3},
    "qf": {"min": 3},
    "qflag": {"min": 3},
    "qualityflag": {"min": 3},
    "zspecquality": {"min": 3},
    "speczquality": {"min": 3},
    "zspecflag": {"min": 3},
    "specflag": {"min": 3},
    "speczflag": {"min": 3},
    "flagspec": {"min": 3},
    "flagzspec": {"min": 3},
    "flagspecz": {"min": 3},
    "flagz": {"min": 3},
    "quality": {"min": 3},
    "confid": {"min": 3},
    "zconf": {"min": 3},
    "zspecconf": {"min": 3},
    "conf": {"min": 3},
    "confidence": {"min": 3},
    "zconfidence": {"min": 3},
    "redshiftquality": {"min": 3},
    "redshiftflag": {"min": 3},
    "confclass": {"min": 3},
    "speczflaghomogeneous": {"min": 3},
    "zqc": {"min": 3},
    "flagsz": {"min": 3},
}
"""Columns that say how sure a redshift is, without separators, and the usual cut: zero warnings
(SDSS, DESI), flags 3 to 4.9 (VVDS, VIPERS, zCOSMOS: 90 % and more), quality 3 and above (2dFGRS,
DEEP2, GAMA, OzDES, VANDELS)."""
