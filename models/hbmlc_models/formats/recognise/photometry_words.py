"""Words of photometry in the names of columns, in lower case."""

from __future__ import annotations

from hbmlc_models.formats.recognise.word_sets import word_set

__all__ = [
    "APERTURES",
    "DEREDDENED",
    "INSTRUMENTS",
    "LINES",
    "NO_PHOTOMETRY",
    "PREFERRED",
    "UNITS",
]

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
