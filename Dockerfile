# HyperStudy Warehouse in a container. compose.yaml shows how to run it; everything it writes goes to /data.

# The image of today may be pinned, so that a build a year later begins with the same one: both lines become
# node:24-slim@sha256:…, with the digest that `docker buildx imagetools inspect node:24-slim` shows. Then it has to be
# raised by hand for each security update of Debian and Node, which is why it is left to whoever deploys it.
FROM node:24-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
# No install scripts: the image brings Node, and better-sqlite3 its binary.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY scripts/bundle.ts ./scripts/bundle.ts
COPY src ./src
# What only the build needs goes.
RUN npm run build && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24-slim
ENV NODE_ENV=production
# Sorting and VACUUM need room beside the data, as the rest of the container cannot be written.
ENV SQLITE_TMPDIR=/data
WORKDIR /app
RUN install -d -o 10001 -g 10001 -m 0750 /data
COPY --from=build /build/node_modules ./node_modules
COPY --from=build /build/dist ./dist
COPY package.json LICENSE ./
COPY migrations ./migrations
COPY systemd ./systemd
COPY container/healthcheck.mjs ./container/healthcheck.mjs
COPY container/image-config.yaml /etc/hyperstudy-warehouse/config.yaml
VOLUME /data
# A number, so that an orchestrator can see that it is not root.
USER 10001:10001
# Node handles SIGTERM itself and the daemon starts no other process here, so that no init is needed.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=1m --timeout=10s --start-period=5m --retries=3 CMD ["node", "/app/container/healthcheck.mjs"]
ENTRYPOINT ["node", "/app/dist/main.js"]
CMD ["daemon"]
