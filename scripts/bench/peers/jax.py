"""JAX: the same network, loss and optimiser; batches and noise drawn inside."""

import functools

jax, jnp = load("jax", "jax.numpy")


def layers(key, widths):
    keys = jax.random.split(key, len(widths))
    return [
        (jax.random.normal(k, (i, o)) * jnp.sqrt(2.0 / i), jnp.zeros(o))
        for k, i, o in zip(keys, widths, widths[1:])
    ]


def forward(stack, x):
    for w, b in stack[:-1]:
        x = jax.nn.silu(x @ w + b)
    w, b = stack[-1]
    return x @ w + b


def network(data):
    n, d, hidden = data["assets"], data["latent"], data["hidden"]
    encoder, decoder = jax.random.split(jax.random.key(1))
    return {
        "encoder": layers(encoder, [n, *hidden, 2 * d]),
        "decoder": layers(decoder, [d, *reversed(hidden), n]),
    }


def training(data):
    """The step of a training, state -> state, and its first state."""
    rows, latent, batch = jnp.array(data["rows"], jnp.float32), data["latent"], data["batch"]
    mean, variance = rows.mean(axis=0), rows.var(axis=0, ddof=1).mean()
    standardised = (rows - mean) / jnp.sqrt(variance)

    def loss(theta, index, noise):
        code = forward(theta["encoder"], standardised[index])
        mu, logvar = code[:, :latent], code[:, latent:]
        z = mu + jnp.exp(logvar / 2) * noise
        error = rows[index] - jax.nn.softmax(forward(theta["decoder"], z))
        kl = (mu**2 + jnp.exp(logvar) - 1 - logvar) / 2
        return jnp.mean(jnp.sum(error**2, axis=1) / (2 * variance) + data["beta"] * kl.sum(axis=1))

    def step(state):
        key, count, theta, first, second = state
        key, batch_key, noise_key = jax.random.split(key, 3)
        index = jax.random.randint(batch_key, (batch,), 0, len(rows))
        noise = jax.random.normal(noise_key, (batch, latent))
        gradient = jax.grad(loss)(theta, index, noise)
        count = count + 1
        first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, gradient)
        second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradient)
        a, b = 1 - 0.9**count, 1 - 0.999**count
        theta = jax.tree.map(
            lambda p, m, v: p - data["learning_rate"] * (m / a) / (jnp.sqrt(v / b) + 1e-8), theta, first, second
        )
        return key, count, theta, first, second

    theta = network(data)
    zeros = lambda: jax.tree.map(jnp.zeros_like, theta)
    return step, (jax.random.key(2), jnp.float32(0), theta, zeros(), zeros())


def train_step(data):
    step, state = training(data)
    step = jax.jit(step, donate_argnums=0)

    def work():
        nonlocal state
        for _ in range(data["steps"]):
            state = step(state)
        jax.block_until_ready(state)
        return data["steps"] * data["batch"]

    return work, None


def train_scan(data):
    step, state = training(data)

    @functools.partial(jax.jit, donate_argnums=0)
    def steps(state):
        return jax.lax.scan(lambda s, _: (step(s), None), state, length=data["scan"])[0]

    def work():
        nonlocal state
        state = steps(state)
        jax.block_until_ready(state)
        return data["scan"] * data["batch"]

    return work, None


def generate(data):
    """Decodes in JAX; projects and evaluates in numpy."""
    decoder, count = network(data)["decoder"], data["count"]
    returns = np.array(data["returns"]).T.copy()
    decode = jax.jit(lambda z: jax.nn.softmax(forward(decoder, z)))
    rng = np.random.default_rng(1)

    def work():
        codes = rng.standard_normal((count, data["latent"])).astype(np.float32)
        decoded = np.asarray(decode(codes), dtype=np.float64)
        six_figures(project(decoded, data["cap"]), returns)
        return count

    return work, None


serve(
    f"{version('jax')} ({jax.default_backend()})",
    {"step": train_step, "scan": train_scan, "generate": generate},
)
