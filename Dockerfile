# The collector: Node, the production dependencies and the program, run as they are. No build step, and nothing to write to.
ARG NODE_VERSION=24.21.0

FROM node:${NODE_VERSION}-alpine AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN ["npm", "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"]
# The bill of materials. npm lists too few packages while it knows of others that are for development.
RUN ["sh", "-c", "npm pkg delete devDependencies && npm sbom --sbom-format cyclonedx --sbom-type application >sbom.cdx.json"]
# Node runs no TypeScript below node_modules: types, sources and maps are half of it by size. bare-* is for another runtime.
RUN ["find", "node_modules", "(", "-path", "node_modules/bare-*", "-prune", "-o", "-type", "f", "(", "-name", "*.ts", "-o", "-name", "*.cts", "-o", "-name", "*.mts", "-o", "-name", "*.map", ")", ")", "-exec", "rm", "-r", "{}", "+"]

FROM node:${NODE_VERSION}-alpine AS program
ENV NODE_ENV=production NODE_COMPILE_CACHE=/app/compile-cache
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=dependencies /app/sbom.cdx.json ./
COPY package.json LICENSE ./
COPY cmd/collector.ts cmd/earlyStop.ts cmd/health.ts cmd/heap.ts cmd/migrate.ts cmd/runCollector.ts cmd/shell.ts cmd/verify.ts ./cmd/
COPY src ./src
COPY views ./views

# What V8 makes of the program: a start takes two thirds of the time with it. Node keeps it by user: any other starts without.
FROM program AS compiled
RUN ["sh", "-c", "mkdir compile-cache && chown 65532 compile-cache"]
USER 65532:65532
RUN ["sh", "-c", "node --disable-sigusr1 cmd/collector.ts --version && chmod -R a+rX compile-cache"]

FROM program
COPY --from=compiled --chown=0:0 /app/compile-cache ./compile-cache
ARG VERSION=0.1.0
ARG REVISION=
LABEL org.opencontainers.image.title="audit-export" \
      org.opencontainers.image.description="Forwards every audit entry of a multi-organization product to each organization's own OTLP receiver." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# Numeric, so that Kubernetes can see that it is not root (runAsNonRoot).
USER 65532:65532
EXPOSE 8080 9090
# In exec form: the process gets SIGTERM itself, and knows what to do with it.
# SIGUSR1 must not open the inspector.
ENTRYPOINT ["node", "--disable-sigusr1"]
CMD ["cmd/collector.ts"]
