# Two images of one project:
#
#   docker build --target pipeline -t vaefolio .           the verbs as static binaries, nothing else
#   docker build -t vaefolio-lab .                         Go, the verbs, and JupyterLab with the Go kernel
#   docker build -t vaefolio-lab --build-arg XLA=1 .       the latter with the XLA plugin for CPUs
#
#   docker run --rm -v "$PWD/runs:/project/runs" vaefolio -out runs/first
#   docker run --rm -p 127.0.0.1:8888:8888 vaefolio-lab
ARG GO_IMAGE=golang:1.26.8-bookworm@sha256:a688600ca24f8a4d3ca77f95b0dd40704a9fc787c826660eb7ba0b641b8b175d

# Every verb, as a static binary.
FROM ${GO_IMAGE} AS build
WORKDIR /project
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o /out/bin/ ./scripts/... \
    && mkdir -p /out/project/runs

# The main job, by a user without rights, on nothing but its binaries.
FROM scratch AS pipeline
COPY --from=build /out/bin /usr/local/bin
COPY --from=build --chown=65532:65532 /out/project /project
USER 65532:65532
WORKDIR /project
ENTRYPOINT ["/usr/local/bin/pipeline"]

# Go, Python and JupyterLab. The repository lies in /project; its environment
# is made by the project's own set-up command.
FROM ${GO_IMAGE} AS lab
# Debian takes packages out of its archive as it updates them, so that pinned
# versions would soon not be found; the base image's digest pins the release.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3 python3-venv tini \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 reader \
    && mkdir /project \
    && chown 1000:1000 /project
USER 1000:1000
ENV GOPATH=/home/reader/go
WORKDIR /project
COPY --chown=1000:1000 go.mod go.sum ./
RUN go mod download
COPY --chown=1000:1000 . .
RUN go run ./scripts/notebooks setup -lab \
    && go build ./...
# XLA=1 adds the CPU plugin, pinned by its hash; the backend auto finds it.
ARG XLA=""
ENV PJRT_PLUGIN_LIBRARY_PATH=/project/.venv/xla/lammps_jax_pjrt_cpu
RUN if [ -n "${XLA}" ]; then \
        .venv/bin/pip download --no-cache-dir --no-deps --require-hashes --only-binary :all: -d /tmp/wheel -r .ci/xla-plugin.txt \
        && python3 -m zipfile -e /tmp/wheel/*.whl .venv/xla \
        && rm -r /tmp/wheel; \
    fi
ENV PATH=/project/.venv/bin:$PATH
EXPOSE 8888
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python3", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8888/api', timeout=4)"]
# Jupyter asks for the token that it prints when it starts, or that of JUPYTER_TOKEN.
ENTRYPOINT ["tini", "--"]
CMD ["jupyter", "lab", "--ip=0.0.0.0", "--port=8888", "--no-browser", "notebooks"]
