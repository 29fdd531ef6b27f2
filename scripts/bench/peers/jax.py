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


def adam(data, gradient, count, theta, first, second):
    """A step of Adam: the new count, parameters and moments."""
    count = count + 1
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, gradient)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradient)
    a, b = 1 - 0.9**count, 1 - 0.999**count
    theta = jax.tree.map(
        lambda p, m, v: p - data["learning_rate"] * (m / a) / (jnp.sqrt(v / b) + 1e-8), theta, first, second
    )
    return count, theta, first, second


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
        return key, *adam(data, gradient, count, theta, first, second)

    theta = network(data)
    zeros = lambda: jax.tree.map(jnp.zeros_like, theta)
    return step, (jax.random.key(2), jnp.float32(0), theta, zeros(), zeros())


def train_step(data):
    return stepping(data, *training(data))


def stepping(data, step, state):
    """One jitted step a call."""
    step = jax.jit(step, donate_argnums=0)

    def work():
        nonlocal state
        for _ in range(data["steps"]):
            state = step(state)
        jax.block_until_ready(state)
        return data["steps"] * data["batch"]

    return work, None


def train_scan(data):
    return scanning(data, *training(data))


def scanning(data, step, state):
    """Many steps a call."""

    @functools.partial(jax.jit, donate_argnums=0)
    def steps(state):
        return jax.lax.scan(lambda s, _: (step(s), None), state, length=data["scan"])[0]

    def work():
        nonlocal state
        state = steps(state)
        jax.block_until_ready(state)
        return data["scan"] * data["batch"]

    return work, None


def evened(x):
    return x / jnp.sqrt(jnp.mean(x * x, axis=-1, keepdims=True) + 1e-6)


def dense(layer, x):
    return x @ layer[0] + layer[1]


def attention_stack(stack, x, heads):
    x = dense(stack["input"], x)
    for block in stack["blocks"]:
        q, k, v = jnp.split(dense(block["attention"], evened(x)), 3, axis=-1)
        cut = lambda y: y.reshape(*y.shape[:-1], heads, -1)
        q, k, v = evened(cut(q)), evened(cut(k)), cut(v)
        shares = jax.nn.softmax(jnp.einsum("bihe,bjhe->bhij", q, k) / jnp.sqrt(q.shape[-1]), axis=-1)
        x = x + dense(block["mix"], jnp.einsum("bhij,bjhe->bihe", shares, v).reshape(x.shape))
        x = x + dense(block["down"], jax.nn.silu(dense(block["up"], evened(x))))
    return evened(x)


@jax.custom_vjp
def capped(y, cap):
    return capped_forward(y, cap)[0]


def capped_forward(y, cap):
    """The projection on {sum w = 1, 0 <= w <= cap}: 32 bisections and an exact step."""
    v = y - y.max(axis=-1, keepdims=True)
    low = v.min(axis=-1, keepdims=True) - cap
    width = -low

    def halve(_, state):
        low, width = state
        width = width / 2
        total = jnp.clip(v - low - width, 0, cap).sum(axis=-1, keepdims=True)
        return jnp.where(total > 1, low + width, low), width

    low, _ = jax.lax.fori_loop(0, 32, halve, (low, width))
    at_cap = (v - cap > low).astype(v.dtype)
    inside = (v > low).astype(v.dtype) - at_cap
    free = jnp.maximum(inside.sum(axis=-1, keepdims=True), 1)
    tau = ((inside * v).sum(axis=-1, keepdims=True) + (at_cap * cap).sum(axis=-1, keepdims=True) - 1) / free
    return jnp.where(inside > 0, v - tau, at_cap * cap), (inside, free)


def capped_backward(kept, g):
    inside, free = kept
    g = g * inside
    return g - inside * g.sum(axis=-1, keepdims=True) / free, None


capped.defvjp(capped_forward, capped_backward)


def over_sets(data):
    """The step of a training over sets of assets, state -> state, and its first state."""
    array = lambda name: jnp.array(data[name], jnp.float32)
    tokens, facts, caps, weights = (array(name) for name in ("tokens", "facts", "caps", "weights"))
    universes, portfolios, n = weights.shape
    d, h, heads, each = data["latent"], data["width"], data["heads"], 4
    share = jnp.mean(((weights**2).sum(axis=-1) - 1 / n) / (caps[:, None] - 1 / n))
    deviations = jnp.sqrt(share * (caps - 1 / n) / n)
    known = jnp.concatenate([tokens, jnp.repeat(facts[:, None], n, axis=1)], axis=-1)

    def initial(key):
        def layer(i, o, scale=1.0):
            nonlocal key
            key, own = jax.random.split(key)
            return scale * jax.random.normal(own, (i, o)) / jnp.sqrt(i), jnp.zeros(o)

        def stack(inputs):
            return {
                "input": layer(inputs, h),
                "blocks": [
                    {"attention": layer(h, 3 * h), "mix": layer(h, h, 0.5), "up": layer(h, 2 * h),
                     "down": layer(2 * h, h, 0.5)}
                    for _ in range(data["blocks"])
                ],
            }

        told = known.shape[-1]
        return {
            "decoder": stack(told), "read": layer(h, 1 + d, 0.3),
            "encoder": stack(told + 1 + h), "code": layer(2 * h, 2 * d, 0.5),
        }

    def loss(theta, universe, portfolio, noise):
        told, cap, deviation = known[universe], caps[universe][:, None, None], deviations[universe][:, None, None]
        x = (weights[universe[:, None], portfolio] - 1 / n) / deviation  # U x P x n
        seen = attention_stack(theta["decoder"], told, heads)
        read = dense(theta["read"], seen)
        about = jnp.repeat(jnp.concatenate([told, seen], axis=-1)[:, None], each, axis=1)
        rows = jnp.concatenate([x[..., None], about], axis=-1).reshape(-1, n, 1 + about.shape[-1])
        y = attention_stack(theta["encoder"], rows, heads)
        own = x.reshape(-1, n, 1)
        code = dense(theta["code"], jnp.concatenate([y.mean(axis=1), (y * own).mean(axis=1)], axis=-1))
        mu, logvar = jnp.split(code.reshape(len(universe), each, 2 * d), 2, axis=-1)
        z = mu + jnp.exp(logvar / 2) * noise
        logits = read[:, None, :, 0] + jnp.einsum("upd,und->upn", z, read[..., 1:])
        w = capped(1 / n + deviation * logits, cap)
        miss = ((x - (w - 1 / n) / deviation) ** 2).sum(axis=-1) / 2
        kl = (mu**2 + jnp.exp(logvar) - 1 - logvar).sum(axis=-1) / 2
        return jnp.mean(miss + data["beta"] * kl + 0.03 * (logits**2).mean(axis=-1))

    def step(state):
        key, count, theta, first, second = state
        key, a, b, c = jax.random.split(key, 4)
        many = data["batch"] // each
        universe = jax.random.randint(a, (many,), 0, universes)
        portfolio = jax.random.randint(b, (many, each), 0, portfolios)
        gradient = jax.grad(loss)(theta, universe, portfolio, jax.random.normal(c, (many, each, d)))
        length = jnp.sqrt(sum(jnp.sum(g * g) for g in jax.tree.leaves(gradient)))
        gradient = jax.tree.map(lambda g: g / jnp.maximum(length, 1), gradient)
        return key, *adam(data, gradient, count, theta, first, second)

    theta = initial(jax.random.key(1))
    zeros = lambda: jax.tree.map(jnp.zeros_like, theta)
    return step, (jax.random.key(2), jnp.float32(0), theta, zeros(), zeros())


def train_sets(data):
    return scanning(data, *over_sets(data))


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
    {"step": train_step, "scan": train_scan, "sets": train_sets, "generate": generate},
)
