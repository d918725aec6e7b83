// Loaded into a process that synthesizes apps (`node --import`): puts all their templates, and what cdk-nag finds, into the folder that JUDGED names.
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { App, Stage } from 'aws-cdk-lib'
import { findings2, findings3 } from './nag.js'

const folder = process.env.JUDGED
const synth = Stage.prototype.synth

Stage.prototype.synth = function (this: Stage, options) {
  const assembly = synth.call(this, options)
  if (folder !== undefined && App.isApp(this)) {
    const name = join(folder, randomUUID())
    for (const { id, template } of assembly.stacksRecursively)
      writeFileSync(`${name}-${id}.template.json`, JSON.stringify(template))
    writeFileSync(`${name}.nag.json`, JSON.stringify([...findings3(this), ...findings2(this)]))
  }
  return assembly
}
