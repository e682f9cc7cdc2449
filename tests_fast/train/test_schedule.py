"""The closed-form learning rates against torch.optim's schedulers."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pytest_claims.train.schedule import learning_rates
from pytest_claims.types import Recipe
from reference.training import torch_scheduler


def stepped(recipe):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], recipe.lr)
    scheduler = torch_scheduler(optimizer, recipe)
    rates = []
    for _ in range(recipe.epochs):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


@given(
    st.integers(1, 60),
    st.floats(1e-3, 1.0),
    st.one_of(
        st.just(("constant",)),
        st.tuples(st.just("cosine"), st.floats(0, 1e-3)),
        st.tuples(st.just("step"), st.integers(1, 20), st.floats(0.1, 1.0)),
        st.tuples(st.just("linear"), st.just(0), st.floats(0, 1), st.integers(1, 9), st.floats(0, 1)),
        st.just(("linear", 0, 0.1, 2, 1.0, 8, 0.02, 12, 0.01, 20, 0.0)),
    ),
)
def test_learning_rates_equal_torchs(epochs, lr, schedule):
    recipe = Recipe(1, 1, epochs, "sgd", lr, schedule=schedule)
    assert learning_rates(recipe) == pytest.approx(stepped(recipe), rel=1e-6, abs=1e-12)


def test_the_documented_schedules():
    base = learning_rates(Recipe(1, 1, 10, "sgd", 0.0195, schedule=("cosine", 0.003)))
    assert base[0] == 0.0195
    assert base[5] == pytest.approx((0.0195 + 0.003) / 2)
    order = learning_rates(Recipe(1, 1, 50, "sgd", 0.0195, schedule=("step", 20, 0.1)))
    assert [order[epoch] for epoch in (0, 19, 20, 40)] == pytest.approx([0.0195, 0.0195, 0.00195, 0.000195])
