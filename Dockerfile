# Slim image, non-root, works with a read-only root file system: state in /var/lib/drehscheibe, nothing else is written.
FROM rust:1-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends pkg-config libxml2-dev libxslt1-dev make \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# Without what only a debugger reads: it is three quarters of the program.
RUN CARGO_PROFILE_RELEASE_DEBUG=false cargo build --release --locked -p drehscheibe

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends libxslt1.1 ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --home-dir /var/lib/drehscheibe --no-create-home --shell /usr/sbin/nologin drehscheibe \
 && install -d -o drehscheibe -g drehscheibe /var/lib/drehscheibe
COPY --from=build /src/target/release/drehscheibe /usr/local/bin/drehscheibe
COPY rules /usr/share/drehscheibe/rules
COPY config /usr/share/drehscheibe/config
COPY packaging/container.toml /etc/drehscheibe/drehscheibe.toml
COPY config/catalogue.toml /etc/drehscheibe/catalogue.toml
USER 10001
VOLUME /var/lib/drehscheibe
EXPOSE 8443 9443
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["drehscheibe", "health", "--config", "/etc/drehscheibe/drehscheibe.toml"]
ENTRYPOINT ["drehscheibe"]
CMD ["serve", "--config", "/etc/drehscheibe/drehscheibe.toml"]
