import { Command } from 'commander'
import type { PublishOptions } from '../publish.js'
import { addExamples } from './examples.js'
import { plural } from './format.js'
import { ImageProgress } from './image-progress.js'
import { minLayerSizeOption } from './index-options.js'
import { addOptions, notEmpty, option } from './option.js'
import { reportProgress } from './progress-report.js'
import type { Terminal } from './terminal.js'
import { parseCount, parseStacks, parseText } from './values.js'

interface PublishFlags {
  readonly stack?: readonly string[]
  readonly profile?: string
  readonly region?: string
  readonly skipBuild?: boolean
  readonly dryRun?: boolean
  readonly requireIndex?: boolean
  readonly minLayerSize?: number
  readonly concurrency?: number
}

export function publishCommand(terminal: Terminal): Command {
  const command = new Command('publish')
    .summary('publish the images of an AWS CDK app, with SOCI indexes')
    .description(
      'Builds and pushes the image assets of a cloud assembly with the CDK CLI (`cdk publish-assets`), then creates a SOCI-enabled image of each in Amazon ECR, ' +
        'tagged with -soci appended. Run it between `cdk synth` and `cdk deploy`. Uses the roles that the assembly names. A second run changes nothing.',
    )
    .argument('[assembly]', 'the output folder of `cdk synth`', notEmpty, 'cdk.out')
  addOptions(
    command,
    option(
      '--stack <name>',
      'this stack and those it depends on; * matches any text; repeatable (default: all)',
      parseStacks,
    ),
    option('--profile <name>', 'AWS profile', parseText),
    option('--region <region>', 'region of stacks without one', parseText),
    option('--skip-build', 'only convert images that are already in Amazon ECR'),
    option('--dry-run', 'list the images, and change nothing'),
    option('--require-index', 'fail if no layer can be indexed'),
    minLayerSizeOption(),
    option('--concurrency <count>', 'number of images to convert at a time (default: 2)', parseCount),
  )
  addExamples(command, [
    { command: 'sociable publish', does: 'publish all images of the assembly in cdk.out' },
    { command: "sociable publish --stack 'Prod/*'", does: 'publish the images of the stage Prod' },
    { command: 'sociable publish --dry-run', does: 'list the images and their new tags' },
  ])
  return command.action(async (assembly: string, { stack, skipBuild, dryRun, ...flags }: PublishFlags) => {
    const { publish } = await import('../publish.js')
    const report = reportProgress(terminal, 'image')
    const progress = new ImageProgress(report)
    const options: PublishOptions = {
      ...flags,
      stacks: stack,
      build: !skipBuild,
      dryRun,
      signal: terminal.signal,
      onProgress: (asset, event) => progress.apply(asset, event),
      onImage({ asset, result }) {
        const { indexed, reason, seconds } = result!
        progress.end(asset, seconds, indexed ? undefined : `copied without an index: ${reason}`)
        if (!indexed) report.warn(`${asset}: copied without an index: ${reason}`)
      },
    }
    const images = await publish(assembly, options).finally(() => report.end())
    if (images.length === 0) terminal.note('the assembly has no image assets')
    else if (terminal.progressForm !== 'none') terminal.note(plural(images.length, 'image'))
    const lines = images.map(({ destination, result }) =>
      result === undefined ? destination : `${destination}@${result.digest}`,
    )
    await terminal.result({ images }, lines)
  })
}
