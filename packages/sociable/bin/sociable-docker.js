#!/usr/bin/env node
// In the repository, not built, so that npm links it when it installs a fresh clone.
import '../dist/bin/cli/sociable-docker.js'
