// Imported for what it does: an app without an `outdir` synthesizes into a new temporary folder, with all its assets, and leaves it there.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const folder = mkdtempSync(join(tmpdir(), 'cdk-soci-synthesized-'))
for (const name of ['TMPDIR', 'TEMP', 'TMP']) process.env[name] = folder
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
