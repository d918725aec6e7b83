# An image of sociable's command line. `npm run container` puts the installed packages into the folder that is the context, and builds it.
ARG NODE_IMAGE=gcr.io/distroless/nodejs24-debian12:nonroot
FROM ${NODE_IMAGE}
COPY app /app
USER 65532:65532
ENTRYPOINT ["/nodejs/bin/node", "/app/node_modules/sociable/bin/sociable.js"]
