"""`GaussianMixture1D`: gmm1d as an estimator of scikit-learn. Fits, compares and evaluates nothing itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gmm1d.arguments import whole
from gmm1d.errors import Ending, require
from gmm1d.frozen import guarded
from gmm1d.mixture import Mixture
from gmm1d.sample import Sample
from gmm1d.translation import compared, drawing, fitted, log_likelihood_of, shaped, taken

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from gmm1d.result import Fit

    Array = NDArray[np.float64]

base: Any = require("sklearn.base", "sklearn")
validation: Any = require("sklearn.utils.validation", "sklearn")
ENDED = (Ending.CONVERGED, Ending.TOLERANCE)


class GaussianMixture1D(
    base.ClassNamePrefixFeaturesOutMixin,  # type: ignore[misc]
    base.TransformerMixin,  # type: ignore[misc]
    base.DensityMixin,  # type: ignore[misc]
    base.ClusterMixin,  # type: ignore[misc]
    base.BaseEstimator,  # type: ignore[misc]
):
    """A mixture of Gaussians on one column, as an estimator of scikit-learn.

    It takes the parameters of `sklearn.mixture.GaussianMixture` and `BayesianGaussianMixture` and has the attributes
    of the former, so that code written for one of them runs with this class; the fit is that of `gmm1d.fit`.

    Parameters
    ----------
    n_components : int or "auto"
        The number of components, or "auto" for the choice of `gmm1d.compare`, which is meant where a
        `BayesianGaussianMixture` was given more components than it needs: here each of them is fitted, with unequal and
        with equal variances.
    covariance_type : {"full", "diag", "spherical", "tied"}
        "tied" stands for one variance for all. The others are the same in one dimension, but for the shapes of
        `covariances_`, `precisions_` and `precisions_cholesky_`; with "auto" the choice may be a mixture of equal
        variances, which then stand there k times.
    tol : float, optional
        Stop when the mean log-likelihood changes by less than this. Without it, and with "auto", the climb goes on to
        a certified optimum.
    max_iter : int, optional
        Steps at most, as in `gmm1d.fit`.
    weights_init, means_init, precisions_init : array-like (n_components,), optional
        Where to climb from instead of searching; components keep their order here, else they are sorted by mean. What
        is left out is that of the best partition into intervals (k-means). Other shapes are flattened.
    random_state : int, Generator or RandomState, optional
        The seed or generator of `sample`, 0 by default. Nothing else is drawn.
    warm_start : bool
        Whether to climb from the last fit if it has as many components.
    verbose : int
        Whether to show a progress bar.
    max_components : int
        With "auto", the largest number compared; not more than there are distinct values.
    criterion : {"bic", "aic", "icl"}
        With "auto", what the choice goes by.
    reg_covar, n_init, init_params, verbose_interval, weight_concentration_prior_type, weight_concentration_prior, \
    mean_precision_prior, mean_prior, degrees_of_freedom_prior, covariance_prior
        Without effect, so that calls written for scikit-learn run: the search is deterministic and needs no restarts
        and no first guess, a variance has no floor in units that nobody chose, the likelihood no prior.

    Attributes
    ----------
    weights_ : ndarray (n_components_,)
    means_ : ndarray (n_components_, 1)
    covariances_, precisions_, precisions_cholesky_ : ndarray
        Variances and their reciprocals, standard deviations' reciprocals: (k, 1, 1) if "full", (1, 1) if "tied",
        (k, 1) if "diag", (k,) if "spherical". All arrays of parameters are read-only.
    n_components_ : int
    converged_ : bool
        Whether it ended at an optimum of the likelihood or of S, or as TOLERANCE; if not, fit has warned.
    n_iter_ : int
    lower_bound_ : float
        The mean log-likelihood of the data.
    lower_bounds_ : ndarray (n_iter_,)
        The same after each step of the last climb.
    labels_ : ndarray (n_samples,)
        The most likely component of each value, found when first asked for. The data it needs are not pickled.
    fit_ : Fit
        Status, certificate, standard errors, pictures.
    comparison_ : Comparison
        With "auto", all fits, the reason of the choice, and as `family` whether it is of equal variances.
    mixture_ : Mixture
        The distribution, its components sorted by mean.
    n_features_in_ : int
    feature_names_in_ : ndarray (1,)
        Where the data were a frame with a name.

    Examples
    --------
    >>> model = GaussianMixture1D(2).fit([1.0, 1.2, 0.9, 1.1, 5.0, 5.3, 4.9, 5.2])
    >>> model.means_.ravel().round(3).tolist()
    [1.05, 5.1]
    >>> model.predict([[1.3], [4.0]]).tolist()
    [0, 1]
    >>> GaussianMixture1D("auto").fit(model.sample(200)[0]).n_components_
    2
    """

    def __init__(
        self,
        n_components: int | str = 1,
        *,
        covariance_type: str = "full",
        tol: float | None = None,
        reg_covar: float = 1e-6,
        max_iter: int | None = None,
        n_init: int = 1,
        init_params: str = "kmeans",
        weights_init: ArrayLike | None = None,
        means_init: ArrayLike | None = None,
        precisions_init: ArrayLike | None = None,
        random_state: object = None,
        warm_start: bool = False,
        verbose: int = 0,
        verbose_interval: int = 10,
        max_components: int = 10,
        criterion: str = "bic",
        weight_concentration_prior_type: str = "dirichlet_process",
        weight_concentration_prior: float | None = None,
        mean_precision_prior: float | None = None,
        mean_prior: ArrayLike | None = None,
        degrees_of_freedom_prior: float | None = None,
        covariance_prior: ArrayLike | None = None,
    ) -> None:
        given = locals()  # as they came, which is all that scikit-learn wants of a constructor
        self.__dict__.update({name: given[name] for name in given if name != "self"})

    def fit(self, X: Any, y: object = None, sample_weight: ArrayLike | None = None) -> Any:  # noqa: ARG002
        """Fit the mixture.

        Parameters
        ----------
        X : array-like (n_samples,) or (n_samples, 1), Sample or Sketch
            One column.
        y : ignored
        sample_weight : array-like (n_samples,), optional
            Numbers >= 0: counts if all are whole, else importance weights, as in `gmm1d.fit`. A Sample may say which.

        Returns
        -------
        GaussianMixture1D
            This estimator.

        Raises
        ------
        InputError
            As `gmm1d.fit` and `gmm1d.compare` do.
        CollapseError
            If the climb from explicit initial values runs into a spike, where the likelihood is unbounded.
        KeyboardInterrupt
            If the fit was interrupted.
        """
        values = taken(self, X, reset=True)
        sample = Sample.of(values, sample_weight, progress=bool(self.verbose))
        if isinstance(self.n_components, str):
            more = {"comparison_": compared(self, sample)}
            best = more["comparison_"].best
            self._keep(best, np.arange(best.k))
        else:
            more = {}
            self._keep(*fitted(self, sample))
        self.__dict__.pop("labels_", None)
        self.__dict__.pop("comparison_", None)
        self.__dict__.update(more, _values=values if isinstance(values, np.ndarray) else None)
        return self

    def fit_predict(self, X: Any, y: object = None, sample_weight: ArrayLike | None = None) -> Any:
        """Fit the mixture and return `labels_`; raises as `fit` does."""
        return self.fit(X, y, sample_weight).labels_

    def predict(self, X: Any) -> Any:
        """Return the most likely component (n_samples,) of each value."""
        values = taken(self, X)
        return self._order[self.mixture_.predict(values)]

    def predict_proba(self, X: Any) -> Any:
        """Return the responsibility (n_samples, n_components_) of each component for each value."""
        values = taken(self, X)
        return self.mixture_.responsibilities(values)[:, np.argsort(self._order)]

    def transform(self, X: Any) -> Any:
        """Return the responsibilities, as `predict_proba` does."""
        return self.predict_proba(X)

    def score_samples(self, X: Any) -> Any:
        """Return the log-density (n_samples,) at each value."""
        values = taken(self, X)
        return self.mixture_.logpdf(values)

    def score(self, X: Any, y: object = None, sample_weight: ArrayLike | None = None) -> float:  # noqa: ARG002
        """Return the mean log-likelihood of the values."""
        total, n = log_likelihood_of(self, X, sample_weight)
        return total / n

    def bic(self, X: Any, sample_weight: ArrayLike | None = None) -> float:
        """Return Schwarz's criterion of this mixture on other data; lower is better."""
        return self._fit_of(X, sample_weight).bic

    def aic(self, X: Any, sample_weight: ArrayLike | None = None) -> float:
        """Return Akaike's criterion of this mixture on other data; lower is better."""
        return self._fit_of(X, sample_weight).aic

    def sample(self, n_samples: int = 1) -> tuple[Array, NDArray[np.intp]]:
        """Draw values (n_samples, 1) and their components (n_samples,), component by component.

        Every call returns the same, unless `random_state` is a generator.

        Raises
        ------
        InputError
            If n_samples is no whole number from 1 on.
        """
        validation.check_is_fitted(self)
        n = whole("n_samples", n_samples, least=1, default=1)
        rng = drawing(self.random_state)
        weights, means, stds = self._parameters()
        counts = rng.multinomial(n, weights)
        drawn = [
            Mixture([1.0], [mean], [std]).rvs(count, rng=rng)
            for mean, std, count in zip(means, stds, counts, strict=True)
        ]
        return np.concatenate(drawn)[:, None], np.repeat(np.arange(weights.size), counts)

    def __getattr__(self, name: str) -> Any:
        """Find `labels_` when first asked for; a property would be computed wherever the estimator is shown."""
        if name != "labels_":
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        values = self.__dict__.get("_values")
        if values is None:
            raise AttributeError(
                "labels_ are of the values of the last fit, which are not here: use predict(X)"
            )
        self.labels_ = self.predict(values)
        return self.labels_

    def _parameters(self) -> tuple[Array, Array, Array]:
        """Return weights, means and stds (k,) in the order of the labels."""
        m, back = self.mixture_, np.argsort(self._order)
        return m.weights[back], m.means[back], m.stds[back]

    @property
    def _n_features_out(self) -> int:
        return int(self.n_components_)

    def _keep(self, found: Fit, order: NDArray[np.intp]) -> None:
        """Set what the fit found, component j of the mixture being number order[j]."""
        self.fit_, self.mixture_, self._order = found, found.mixture, order
        self.n_components_ = found.k
        self.weights_, means, stds = map(guarded, self._parameters())
        self.means_ = means[:, None]
        stds = shaped(stds, self.covariance_type)
        self.covariances_ = guarded(np.square(stds))
        self.precisions_cholesky_ = guarded(1 / stds)
        self.precisions_ = guarded(np.square(self.precisions_cholesky_))
        self.converged_ = found.reason == "support" or found.status in ENDED
        self.n_iter_ = found.n_iter
        self.lower_bound_ = found.log_likelihood / found.n
        assert found.trace is not None
        self.lower_bounds_ = guarded(found.trace.log_likelihood[1:] / found.n)

    def _fit_of(self, X: Any, sample_weight: ArrayLike | None) -> Fit:
        total, n = log_likelihood_of(self, X, sample_weight)
        other: Fit = replace(_bare(self.fit_), log_likelihood=total, n=n)
        return other

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = True
        return tags

    def __getstate__(self) -> dict[str, Any]:
        """Leave the data behind."""
        state = dict(super().__getstate__())
        state.pop("_values", None)
        if "fit_" in state:
            state["fit_"] = _bare(state["fit_"])
        if "comparison_" in state:
            whole = self.comparison_
            fits, others = (
                {k: _bare(each) for k, each in part.items()} for part in (whole.fits, whole.others)
            )
            state["comparison_"] = replace(whole, fits=fits, others=others)
        return state


def _bare(found: Fit) -> Fit:
    return replace(found, sample=None)
