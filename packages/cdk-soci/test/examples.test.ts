// The apps of examples/, synthesized by CDK's own command line as their users would, and checked by cfn-lint.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { lint } from './lint.js'
import { PACKAGE, run, temporaryFolder, WORKSPACE } from './workplace.js'

interface Resource {
  readonly Type: string
  readonly Properties: Record<string, unknown>
}
type Template = { readonly Resources: Record<string, Resource> }

/** Synthesizes the app of a folder and gives its only template, after cfn-lint has seen it. */
function synthesize(t: TestContext, name: string): Template {
  const output = temporaryFolder(t)
  const cdk = join(WORKSPACE, 'node_modules/aws-cdk/bin/cdk')
  run('node', [cdk, 'synth', '--quiet', '--output', output], { cwd: join(PACKAGE, 'examples', name) })
  const [file, ...others] = readdirSync(output).filter((entry) => entry.endsWith('.template.json'))
  assert.ok(file !== undefined && others.length === 0, `${name}: templates ${file}, ${others}`)
  lint(t, [join(output, file)])
  return JSON.parse(readFileSync(join(output, file), 'utf8')) as Template
}

const ofType = ({ Resources }: Template, type: string) =>
  Object.entries(Resources).filter(([, { Type }]) => Type === type)

/** Asserts that the template has one index, and that the image of its only task is the one that the index resource answers with. */
function assertLazy(template: Template): Resource {
  const [index, ...others] = ofType(template, 'Custom::SociIndex')
  assert.ok(index !== undefined && others.length === 0, 'one index')
  const [task] = ofType(template, 'AWS::ECS::TaskDefinition')
  assert.ok(task !== undefined)
  const [container] = task[1].Properties.ContainerDefinitions as { Image: unknown }[]
  assert.ok(
    JSON.stringify(container?.Image).includes(`"Fn::GetAtt":["${index[0]}",`),
    `the container's image waits for the index: ${JSON.stringify(container?.Image)}`,
  )
  return index[1]
}

describe('examples', () => {
  it('compile under strict TypeScript', () => {
    run('node', [join(WORKSPACE, 'node_modules/typescript/bin/tsc'), '-p', join(PACKAGE, 'examples')])
    run('node', [join(WORKSPACE, 'node_modules/typescript/bin/tsc'), '-p', join(PACKAGE, 'integ')])
  })

  it('fargate-service: the task waits for its index', (t) => {
    const template = synthesize(t, 'fargate-service')
    assertLazy(template)
    assert.equal(ofType(template, 'AWS::CodeBuild::Project').length, 0)
  })

  it('queue-processing: a pattern is lazy by one line', (t) => {
    assertLazy(synthesize(t, 'queue-processing'))
  })

  it('every-push: pushes and what is there already are indexed with a profile', (t) => {
    const template = synthesize(t, 'every-push')
    assert.equal(ofType(template, 'AWS::Events::Rule').length > 0, true)
    assert.equal(ofType(template, 'AWS::CloudWatch::Dashboard').length, 1)
    assert.equal(ofType(template, 'AWS::StepFunctions::StateMachine').length, 2)
    const options = ofType(template, 'AWS::Lambda::Function').map(([, { Properties }]) =>
      JSON.stringify(Properties.Environment),
    )
    assert.equal(options.filter((text) => /SOCI_OPTIONS.*Profile.*s3:/.test(text)).length, 2, options.join())
  })

  it('large-model: its index is built by Step Functions, and required', (t) => {
    const template = synthesize(t, 'large-model')
    assert.equal(assertLazy(template).Properties.RequireIndex, 'true')
    assert.equal(ofType(template, 'AWS::StepFunctions::StateMachine').length, 1)
  })
})
