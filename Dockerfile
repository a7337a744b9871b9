# The pipeline as an image: the hashed runtime lock and this project, nothing to compile with, not run as root.
#
#   make image                                              (or: buildah build --tag customer-segments .)
#   podman run --rm -v "$PWD/data:/data" -v "$PWD/workspaces:/home/segments/workspaces" \
#       customer-segments run /data/pipeline.yaml --workspace workspaces/pipeline
#
# BASE_IMAGE is any Debian-based image whose python3 is 3.11 or 3.10, with its headers.
ARG BASE_IMAGE=python:3.11-slim-bookworm

FROM ${BASE_IMAGE} AS builder
# pyfarmhash comes as source only.
RUN apt-get update && apt-get install --yes --no-install-recommends g++ && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY locks/ locks/
RUN python3 -m pip install --no-cache-dir --no-deps --require-hashes --target /opt/uv --requirement locks/uv.txt
ENV PATH=/opt/uv/bin:/opt/venv/bin:$PATH VIRTUAL_ENV=/opt/venv UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never
RUN uv venv --python "$(command -v python3)" /opt/venv \
    && uv pip install --no-build-isolation --require-hashes --requirement locks/build.txt \
    && uv pip sync --no-build-isolation --require-hashes --compile-bytecode locks/runtime.txt
# After the dependencies: a change of our code rebuilds this layer alone.
COPY . .
RUN uv pip install --no-build-isolation --no-deps --compile-bytecode .

FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="customer-segments" org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --create-home --uid 10001 segments
COPY --from=builder /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 TF_CPP_MIN_LOG_LEVEL=2
USER segments
WORKDIR /home/segments
ENTRYPOINT ["segments"]
CMD ["--help"]
