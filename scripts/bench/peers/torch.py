"""PyTorch: the same network, loss and optimiser, as one writes it plainly."""

torch, functional = load("torch", "torch.nn.functional")
torch.set_num_threads(1)

STEPS = 20  # between two looks at the clock


def stack(widths):
    parts = []
    for i, o in zip(widths, widths[1:]):
        parts += [torch.nn.Linear(i, o), torch.nn.SiLU()]
    return torch.nn.Sequential(*parts[:-1])


def train(data):
    torch.manual_seed(1)
    rows = torch.tensor(data["rows"], dtype=torch.float32)
    n, latent, hidden, batch = data["assets"], data["latent"], data["hidden"], data["batch"]
    mean, variance = rows.mean(0), rows.var(0).mean()
    standardised = (rows - mean) / variance.sqrt()
    encoder, decoder = stack([n, *hidden, 2 * latent]), stack([latent, *reversed(hidden), n])
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=data["learning_rate"])

    def work():
        for _ in range(STEPS):
            index = torch.randint(len(rows), (batch,))
            mu, logvar = encoder(standardised[index]).chunk(2, dim=1)
            z = mu + torch.exp(logvar / 2) * torch.randn(batch, latent)
            error = rows[index] - functional.softmax(decoder(z), dim=1)
            kl = (mu**2 + logvar.exp() - 1 - logvar) / 2
            loss = (error.square().sum(1) / (2 * variance) + data["beta"] * kl.sum(1)).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return STEPS * batch

    return work, None


serve(version("torch"), {"train": train})
