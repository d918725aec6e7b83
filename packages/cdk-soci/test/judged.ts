// Loaded into processes that synthesize apps (`node --import`): puts all their templates, and what cdk-nag finds in what is ours, into the folder that
// JUDGED names, for `scripts/judge.mjs`.
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { App, Stage } from 'aws-cdk-lib'
import { findings2, findings3 } from './nag.js'

const folder = process.env.JUDGED
const synth = Stage.prototype.synth

/** Each text once: many tests synthesize the same. */
function keep(text: string, suffix: string): void {
  const name = createHash('sha256').update(text).digest('hex')
  writeFileSync(join(folder!, `${name}.${suffix}.json`), text)
}

if (folder !== undefined)
  Stage.prototype.synth = function (this: Stage, options) {
    const assembly = synth.call(this, options)
    if (!App.isApp(this)) return assembly
    for (const { template } of assembly.stacksRecursively)
      if (template.Resources !== undefined) keep(JSON.stringify(template), 'template')
    for (const finding of [...findings3(this), ...findings2(this)]) keep(JSON.stringify(finding), 'nag')
    return assembly
  }
