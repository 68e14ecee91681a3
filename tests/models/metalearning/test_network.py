"""The network against torch's own convolution, and its heads against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from galaxies import make_frame_of, make_photometry, random_mags
from torch.nn.functional import conv1d

from hbmlc_models.metalearning.codec import network_arrays, network_from_arrays
from hbmlc_models.metalearning.features import CHANNELS, network_inputs
from hbmlc_models.metalearning.infer import outputs_density, outputs_redshift, run_network
from hbmlc_models.metalearning.network import (
    KERNEL,
    Architecture,
    Head,
    Weights,
    forward,
    init_weights,
    inner_loss,
    mixture_density,
    query_loss,
)
from hbmlc_models.metalearning.train import MetaNetwork, new_network
from hbmlc_models.selection.context import CONTEXT

N, N_BANDS = 7, 5


def architecture(head: Head = Head.MIXTURE) -> Architecture:
    return Architecture(n_channels=3, n_bands=N_BANDS, n_maps=8, head=head)


def make_weights(head: Head = Head.MIXTURE) -> Weights:
    return init_weights(architecture(head), generator=torch.Generator().manual_seed(1))


@pytest.fixture
def inputs() -> torch.Tensor:
    return torch.randn(N, 3, N_BANDS, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("head", list(Head))
def test_forward_is_three_convolutions_and_a_linear_layer(head: Head, inputs: torch.Tensor) -> None:
    weights = make_weights(head)
    for name in weights:
        if name.endswith("bias"):
            weights[name] = torch.randn(weights[name].shape)

    found = forward(weights, inputs)

    hidden = inputs
    for layer in range(3):
        # Rows of a weight are (offset of the band, channel); torch wants (map, channel, offset).
        kernel = weights[f"conv{layer}.weight"].reshape(KERNEL, hidden.shape[1], 8).permute(2, 1, 0)
        hidden = torch.relu(conv1d(hidden, kernel, weights[f"conv{layer}.bias"], padding=1))
    flat = hidden.transpose(1, 2).flatten(1)
    wanted = flat @ weights["head.weight"] + weights["head.bias"]
    assert found.shape == (N, architecture(head).n_outputs)
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)


def test_default_sizes_are_the_published_ones() -> None:
    default = Architecture(n_channels=CHANNELS, n_bands=6)

    assert (default.n_layers, default.n_maps) == (3, 64)
    assert Architecture(n_channels=CHANNELS, n_bands=6, head=Head.MSE).n_outputs == 1


def test_mixture_density_integrates_to_one(inputs: torch.Tensor) -> None:
    # A fine grid far beyond all components: nothing is cut off.
    z_grid = torch.linspace(0, 30, 30_001, dtype=torch.float64)
    outputs = forward(make_weights(), inputs).double()
    outputs[:, 8:16] = outputs[:, 8:16].clamp(min=0.5)

    density = mixture_density(outputs, z_grid)

    torch.testing.assert_close(density.sum(dim=1), torch.ones(N, dtype=torch.float64))
    losses = torch.stack(
        [query_loss(outputs, z.expand(N), head=Head.MIXTURE) for z in z_grid[::50]]
    )
    # exp(-loss) is the density in log(1+z), but for a factor of √2π.
    heights = torch.exp(-losses) / (1 + z_grid[::50, None]) / np.sqrt(2 * np.pi)
    total = torch.trapezoid(heights, z_grid[::50], dim=0)
    torch.testing.assert_close(total, torch.ones(N, dtype=torch.float64), rtol=1e-2, atol=0)


def test_density_is_the_exponent_of_the_loss(inputs: torch.Tensor) -> None:
    z_grid = torch.linspace(0, 3, 301, dtype=torch.float64)
    outputs = forward(make_weights(), inputs).double()

    density = mixture_density(outputs, z_grid)

    losses = torch.stack([query_loss(outputs, z.expand(N), head=Head.MIXTURE) for z in z_grid], 1)
    heights = torch.exp(-losses) / (1 + z_grid)
    torch.testing.assert_close(
        density, heights / heights.sum(1, keepdim=True), rtol=1e-6, atol=1e-9
    )


def test_point_head_answers_with_its_output_and_squared_error(inputs: torch.Tensor) -> None:
    outputs = forward(make_weights(Head.MSE), inputs)
    z_spec = torch.linspace(0, 2, N)

    torch.testing.assert_close(
        query_loss(outputs, z_spec, head=Head.MSE), (outputs[:, 0] - z_spec) ** 2
    )
    np.testing.assert_allclose(outputs_redshift(outputs.numpy(), head=Head.MSE), outputs[:, 0])


def test_inner_loss_is_bounded_where_the_density_is_nothing() -> None:
    outputs = torch.zeros(1, 24)
    outputs[:, 16:] = -6.0  # sharp components at redshift zero

    far = torch.tensor([3.0])

    assert query_loss(outputs, far, head=Head.MIXTURE)[0] > 1000
    assert inner_loss(outputs, far, head=Head.MIXTURE)[0] < 5


@pytest.mark.parametrize("head", list(Head))
def test_density_on_a_grid_sums_to_one_for_any_output(head: Head) -> None:
    outputs = np.full((3, architecture(head).n_outputs), [[-50.0], [0.0], [50.0]])

    density = outputs_density(outputs, np.linspace(0, 3, 301), head=head)

    np.testing.assert_allclose(density.sum(axis=1), 1.0, rtol=1e-5)


def test_inference_is_the_same_in_one_piece_and_in_chunks(
    inputs: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = make_weights()
    whole = run_network(weights, inputs.numpy())

    monkeypatch.setattr("hbmlc_models.metalearning.infer.CHUNK", 2)

    np.testing.assert_allclose(run_network(weights, inputs.numpy()), whole, rtol=1e-5, atol=1e-6)
    assert run_network(weights, inputs.numpy()[:0]).shape == (0, 24)


def test_inputs_are_finite_whatever_was_observed() -> None:
    mag = random_mags(np.random.default_rng(0), 20)
    mag[:10, 1] = np.nan
    mag[0] = np.nan
    photometry = make_photometry(mag)

    inputs = network_inputs(photometry, make_frame_of(), np.zeros((20, len(CONTEXT), 4)))

    assert inputs.shape == (20, CHANNELS, 4)
    assert np.isfinite(inputs).all()
    np.testing.assert_array_equal(inputs[:, 3], photometry.is_observed)


def test_network_survives_the_way_through_arrays() -> None:
    weights = make_weights(Head.MSE)
    network = MetaNetwork(
        architecture=architecture(Head.MSE),
        weights=weights,
        rates={name: torch.tensor(0.01) for name in weights},
        n_inner_steps=3,
    )

    back = network_from_arrays(*network_arrays(network))

    assert back.architecture == network.architecture
    assert back.n_inner_steps == 3
    for name, tensor in weights.items():
        torch.testing.assert_close(back.weights[name], tensor, rtol=0, atol=0)
        torch.testing.assert_close(back.rates[name], network.rates[name], rtol=0, atol=0)


@pytest.mark.parametrize("head", list(Head))
@pytest.mark.parametrize("n_bands", [1, 2, 5])
def test_fast_inference_is_the_forward_pass(head: Head, n_bands: int) -> None:
    sizes = Architecture(n_channels=3, n_bands=n_bands, n_maps=8, head=head)
    weights = init_weights(sizes, generator=torch.Generator().manual_seed(1))
    weights = {name: w + 0.1 * torch.randn(w.shape) for name, w in weights.items()}
    inputs = torch.randn(N, 3, n_bands)

    found = run_network(weights, inputs.numpy())

    torch.testing.assert_close(
        torch.from_numpy(found), forward(weights, inputs), rtol=1e-4, atol=1e-5
    )


def test_network_that_is_read_back_lies_in_memory_as_a_new_one_does() -> None:
    network = new_network(
        Architecture(n_channels=CHANNELS, n_bands=N_BANDS), seed=1, n_inner_steps=2
    )
    tensors, document = network_arrays(network)
    # As from a file: arrays that start anywhere.
    shifted = {}
    for name, tensor in tensors.items():
        room = np.zeros(tensor.size + 1, dtype=tensor.dtype)
        room[1:] = tensor.ravel()
        shifted[name] = room[1:].reshape(tensor.shape)

    back = network_from_arrays(shifted, document)

    assert list(back.weights) == list(network.weights)
    assert list(back.rates) == list(network.rates)
    for name, tensor in back.weights.items():
        assert tensor.data_ptr() % 64 == network.weights[name].data_ptr() % 64 == 0
        assert torch.equal(tensor, network.weights[name])
