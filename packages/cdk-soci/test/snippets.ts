// TypeScript snippets of Markdown pages, made into stacks that compile and synthesize.
import { readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { run, WORKSPACE } from './workplace.js'

/** A fenced block of a page, marked as `ts`. */
export interface Snippet {
  /** Page and line, for messages. */
  readonly name: string
  readonly code: string
}

/** Snippets of a page in their order. @param language what stands behind the fence */
export function snippetsOf(page: string, language: string): Snippet[] {
  const text = readFileSync(page, 'utf8')
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map((match) => ({
    name: `${basename(page)}:${text.slice(0, match.index).split('\n').length + 1}`,
    code: match[1] as string,
  }))
}

/** Names of CDK that snippets use without importing them, by module: pages show the imports that matter. */
const IMPORTED: Readonly<Record<string, readonly string[]>> = {
  'aws-cdk-lib': ['App', 'CfnOutput', 'Duration', 'RemovalPolicy', 'Stack', 'Stage'],
  'aws-cdk-lib/aws-ec2': ['Vpc', 'SubnetType', 'SecurityGroup'],
  'aws-cdk-lib/aws-ecr': ['Repository'],
  'aws-cdk-lib/aws-ecr-assets': ['DockerImageAsset', 'Platform'],
  'aws-cdk-lib/aws-ecs': ['AssetImage', 'Cluster', 'ContainerImage', 'FargateService', 'FargateTaskDefinition'],
  'aws-cdk-lib/aws-lambda': ['Architecture', 'DockerImageFunction', 'DockerImageCode'],
  'aws-cdk-lib/aws-secretsmanager': ['Secret'],
}

/**
 * A module whose default export is a stack with the snippet in its constructor. Around it stand the things that pages take for granted: `app`,
 * `vpc`, `cluster`, `taskDefinition`, `repository`; a snippet may declare its own of the same name.
 */
export function stackModule({ code }: Snippet): string {
  const imports = [...code.matchAll(/^import .*$/gm)].map(([line]) => line)
  const body = code.replace(/^import .*$/gm, '').trim()
  const known = imports.join('\n')
  const used = new Set(`App Stack ${body}\n${FIXTURE}`.match(/\b[A-Z]\w+\b/g))
  const missing = Object.entries(IMPORTED).flatMap(([module, names]) => {
    const wanted = names.filter((name) => used.has(name) && !new RegExp(`\\b${name}\\b`).test(known))
    return wanted.length === 0 ? [] : [`import { ${wanted.join(', ')} } from '${module}'`]
  })
  return `${[...imports, ...missing].join('\n')}

export default class extends Stack {
  constructor(app: App, id: string) {
    super(app, id)
${FIXTURE}
    void [vpc, cluster, taskDefinition, repository]
    {
${body}
    }
  }
}
`
}

const FIXTURE = `    const vpc = new Vpc(this, 'TheVpc')
    const cluster = new Cluster(this, 'TheCluster', { vpc })
    const taskDefinition = new FargateTaskDefinition(this, 'TheTask')
    const repository = Repository.fromRepositoryName(this, 'TheRepository', 'app')`

const COMPILER_OPTIONS = {
  compilerOptions: {
    module: 'nodenext',
    target: 'es2022',
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: ['node'],
    erasableSyntaxOnly: true, // Node strips the types
  },
  include: ['*.mts'],
}

/** Has the compiler look at the modules in a folder. @throws Error with what it found */
export function compileModules(folder: string): void {
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(COMPILER_OPTIONS))
  run('node', [join(WORKSPACE, 'node_modules/typescript/bin/tsc'), '-p', folder], { cwd: folder })
}
