# Two images of one project; docs/docker.md says how they are used:
#
#   docker build --target pipeline -t vaefolio .           the verbs as static binaries, nothing else
#   docker build -t vaefolio-lab .                         Go, the verbs, and JupyterLab with the Go kernel
#   docker build -t vaefolio-lab --build-arg XLA=1 .       the latter with the XLA plugin for CPUs
#
#   docker run --rm --user "$(id -u):$(id -g)" -v "$PWD/runs:/project/runs" vaefolio -out runs/first
#   docker run --rm -p 127.0.0.1:8888:8888 vaefolio-lab
ARG GO_IMAGE=golang:1.26.8-bookworm@sha256:a688600ca24f8a4d3ca77f95b0dd40704a9fc787c826660eb7ba0b641b8b175d
ARG LAB_IMAGE=debian:bookworm-slim

# Every verb that needs neither this repository nor Go around it, as a static binary.
FROM ${GO_IMAGE} AS build
WORKDIR /project
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN --mount=type=cache,target=/tmp/cache \
    GOCACHE=/tmp/cache CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o /out/usr/local/bin/ ./scripts/... \
    && rm /out/usr/local/bin/bench /out/usr/local/bin/notebooks /out/usr/local/bin/sample /out/usr/local/bin/xla \
    && mkdir -p /out/tmp /own/runs && chmod 1777 /out/tmp

# The main job, by a user without rights, on nothing but its binaries.
FROM scratch AS pipeline
COPY --from=build /out /
COPY --from=build --chown=65532:65532 /own /project
USER 65532:65532
WORKDIR /project
ENTRYPOINT ["/usr/local/bin/pipeline"]

# Go, Python and JupyterLab. The repository lies in /project; its environment
# is made by the project's own set-up command.
# The tools of Go are there as programs, without their sources: all but pprof, trace and
# what looks into object files, which Go would build of them.
FROM ${GO_IMAGE} AS go
RUN rm -r /usr/local/go/api /usr/local/go/doc /usr/local/go/test /usr/local/go/src/cmd \
    && find /usr/local/go/src -name '*_test.go' -delete \
    && find /usr/local/go/src -type d -name testdata -prune -exec rm -r {} +

FROM ${LAB_IMAGE} AS lab
COPY --from=go /usr/local/go /usr/local/go
# Debian takes packages out of its archive as it updates them, so that pinned
# versions would soon not be found.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates python3 python3-venv tini \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* \
    && useradd --create-home --uid 1000 reader \
    && mkdir /project \
    && chown 1000:1000 /project
USER 1000:1000
ENV GOPATH=/home/reader/go PATH=/project/.venv/bin:/usr/local/go/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_COMPILE=0
WORKDIR /project
COPY --chown=1000:1000 . .
# What the tools are built from stays outside, as do the names of languages in others.
RUN --mount=type=cache,id=lab,target=/tmp/cache,uid=1000,gid=1000 \
    GOCACHE=/tmp/cache/build GOMODCACHE=/tmp/cache/modules go run ./scripts/notebooks setup -lab \
    && find .venv -path '*/babel/locale-data/*' ! -name 'en*' ! -name 'root.dat' -delete
# What cells are compiled from stays, compiled; archives of modules, and the tests and
# pages in them, are most of their size.
RUN go build ./vaelib/... ./scripts/notebooks \
    && chmod -R u+w "${GOPATH}/pkg/mod" \
    && find "${GOPATH}/pkg/mod" \( -name '*.zip' -o -name '*_test.go' \) -delete \
    && find "${GOPATH}/pkg/mod" -type d \( -name testdata -o -name tests -o -name docs \) -prune -exec rm -r {} +
# XLA=1 adds the C compiler that XLA's binding needs, cells that may use it, and the
# plugin for CPUs, pinned by its hash, which the backend auto finds.
ARG XLA=""
USER 0:0
# hadolint ignore=DL3008
RUN if [ -n "${XLA}" ]; then \
        apt-get update \
        && apt-get install -y --no-install-recommends gcc libc6-dev \
        && rm -rf /var/lib/apt/lists/* /var/cache/apt/*; \
    fi
USER 1000:1000
ENV PJRT_PLUGIN_LIBRARY_PATH=/project/.venv/xla/lammps_jax_pjrt_cpu
RUN --mount=type=cache,id=lab,target=/tmp/cache,uid=1000,gid=1000 \
    if [ -n "${XLA}" ]; then \
        GOCACHE=/tmp/cache/build GOMODCACHE=/tmp/cache/modules go run ./scripts/notebooks setup -lab -xla \
        && go build ./vaelib/... ./scripts/notebooks \
        && .venv/bin/pip download --no-deps --require-hashes --only-binary :all: -d /tmp/wheel -r .ci/xla-plugin.txt \
        && python3 -m zipfile -e /tmp/wheel/*.whl .venv/xla \
        && rm -r /tmp/wheel; \
    fi
EXPOSE 8888
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python3", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8888/api', timeout=4)"]
# Jupyter asks for the token that it prints when it starts, or for that of JUPYTER_TOKEN.
ENTRYPOINT ["tini", "--"]
CMD ["jupyter", "lab", "--ip=0.0.0.0", "--port=8888", "--ServerApp.port_retries=0", "--no-browser", "notebooks"]
