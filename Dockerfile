# CPU: docker build -t autochrome .
# CUDA: docker build -t autochrome --build-arg DEVICE=cuda .   (run it with --gpus all)
FROM python:3.12-slim-bookworm

ARG DEVICE=cpu
WORKDIR /app

# What OpenCV links to; the list is that of the Space.
COPY packages.txt ./
RUN apt-get update \
    && xargs -a packages.txt apt-get install -y --no-install-recommends \
    && rm -rf /var/lib/apt/lists/*

# The package index has torch with CUDA, which takes 5 GB; torch's own index has it without. Both
# come from one of them, as torchvision has to be of the same build.
COPY requirements.txt ./
RUN case "$DEVICE" in \
        cpu) grep '^torch' requirements.txt > torch.txt \
            && pip install --no-cache-dir -r torch.txt \
                --index-url https://download.pytorch.org/whl/cpu ;; \
        cuda) ;; \
        *) echo "DEVICE is $DEVICE, allowed are cpu and cuda" >&2; exit 1 ;; \
    esac \
    && pip install --no-cache-dir -r requirements.txt

RUN useradd --create-home --uid 1000 studio && mkdir /cache && chown studio /cache
COPY . .

# Downloaded models outlive the container here; photos and results do not: they are in /tmp.
ENV HF_HOME=/cache/huggingface TORCH_HOME=/cache/torch PYTHONUNBUFFERED=1
VOLUME /cache
USER studio
EXPOSE 7860
HEALTHCHECK --start-period=60s --interval=30s --timeout=5s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:7860/', timeout=4)"]
ENTRYPOINT ["python", "app.py", "--host", "0.0.0.0", "--port", "7860"]
