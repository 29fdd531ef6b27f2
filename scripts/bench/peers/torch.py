"""PyTorch: the same network, loss and optimiser, as one writes it plainly, with
Adam in one kernel, and with the step compiled too."""

torch, functional = load("torch", "torch.nn.functional")
torch.set_num_threads(1)


def stack(widths):
    parts = []
    for i, o in zip(widths, widths[1:]):
        parts += [torch.nn.Linear(i, o), torch.nn.SiLU()]
    return torch.nn.Sequential(*parts[:-1])


def train(data, fused=False, compiled=False):
    torch.manual_seed(1)
    rows = torch.tensor(data["rows"], dtype=torch.float32)
    n, latent, hidden, batch = data["assets"], data["latent"], data["hidden"], data["batch"]
    mean, variance = rows.mean(0), rows.var(0).mean()
    standardised = (rows - mean) / variance.sqrt()
    encoder, decoder = stack([n, *hidden, 2 * latent]), stack([latent, *reversed(hidden), n])
    parameters = [*encoder.parameters(), *decoder.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=data["learning_rate"], fused=fused)

    def loss(index, noise):
        mu, logvar = encoder(standardised[index]).chunk(2, dim=1)
        error = rows[index] - functional.softmax(decoder(mu + torch.exp(logvar / 2) * noise), dim=1)
        kl = (mu**2 + logvar.exp() - 1 - logvar) / 2
        return (error.square().sum(1) / (2 * variance) + data["beta"] * kl.sum(1)).mean()

    if compiled:
        loss = torch.compile(loss)

    def work():
        for _ in range(data["steps"]):
            index = torch.randint(len(rows), (batch,))
            optimizer.zero_grad()
            loss(index, torch.randn(batch, latent)).backward()
            optimizer.step()
        return data["steps"] * batch

    return work, None


serve(
    version("torch"),
    {
        "plain": train,
        "fused": lambda data: train(data, fused=True),
        "compiled": lambda data: train(data, fused=True, compiled=True),
    },
)
