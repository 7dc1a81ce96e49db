# syntax=docker/dockerfile:1
# The license server in an image: built from the lock, run by a user who owns nothing but /data.

FROM python:3.12-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
WORKDIR /build
RUN python -m venv /opt/tillkey
COPY requirements-server.lock ./
# The lock is complete: nothing is resolved, and every package must have a hash that stands in it.
RUN /opt/tillkey/bin/pip install --require-hashes --no-deps --requirement requirements-server.lock
COPY requirements-build.lock ./
RUN python -m venv /opt/build && /opt/build/bin/pip install --require-hashes --no-deps --requirement requirements-build.lock
COPY pyproject.toml README.md LICENSE ./
COPY sdk ./sdk
COPY server ./server
COPY migrations ./migrations
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels ./sdk . \
    && /opt/tillkey/bin/pip install --no-deps --no-index /wheels/*.whl

FROM python:3.12-slim-bookworm
RUN useradd --system --uid 10001 --user-group --home-dir /data --shell /usr/sbin/nologin tillkey \
    && install --directory --owner tillkey --group tillkey --mode 0700 /data
COPY --from=build /opt/tillkey /opt/tillkey
ENV PATH=/opt/tillkey/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
# That the process answers, and no more: a database that is away is no reason to kill a server that waits for it.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["tillkey-server"]
CMD ["serve", "--data-dir", "/data", "--host", "0.0.0.0", "--port", "8080"]
