# Assay on the CPU. Without a command it runs the demo, on real models that are in the image: no network is used.
#   docker build -t assay . && docker run --rm assay
#   docker run --rm -v "$PWD:/work" assay rank ./photos
FROM python:3.12-slim

WORKDIR /opt/assay
COPY pyproject.toml README.md LICENSE ./
COPY src src
# the wheels of PyTorch for the CPU bring no libraries of CUDA
RUN pip install --no-cache-dir --index-url https://download.pytorch.org/whl/cpu torch torchvision \
    && pip install --no-cache-dir '.[demo]' \
    && useradd --create-home --uid 1000 assay \
    && mkdir /work \
    && chown assay /work

USER 1000
WORKDIR /work
ENTRYPOINT ["assay"]
CMD ["demo"]
