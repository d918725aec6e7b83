import * as cdk from 'aws-cdk-lib'
import type * as ecs from 'aws-cdk-lib/aws-ecs'
import type { Construct, IConstruct } from 'constructs'
import { getHandled, isContainer } from './handled-containers'
import { lazySetting } from './lazy-scopes'
import { decide, whyNoTaskDefinition } from './left-alone'
import { makeLazy } from './make-lazy'
import { resolveWithReferences } from './name-pieces'
import { inform } from './notes'
import { isTaskDefinition, platformOf } from './task-definition'

/** Has task definitions below the scope made lazy when the app is synthesized: those that the injector did not see. */
export function addAspect(scope: IConstruct): void {
  const aspects = cdk.Aspects.of(scope)
  if (aspects.all.some((aspect) => aspect instanceof LazyAspect)) return
  // Where aspects have an order, before those that look at what is there
  const priority: typeof cdk.AspectPriority | undefined = cdk.AspectPriority
  if (priority === undefined) aspects.add(new LazyAspect(scope))
  else aspects.add(new LazyAspect(scope), { priority: priority.MUTATING })
}

class LazyAspect implements cdk.IAspect {
  readonly #scope: IConstruct

  constructor(scope: IConstruct) {
    this.#scope = scope
  }

  visit(construct: IConstruct): void {
    if (construct === this.#scope) checkStages(construct)
    if (isTaskDefinition(construct)) makeTaskLazy(construct)
    else informOfOthers(construct)
  }
}

/** What aspects of several scopes have seen. */
const informed = new WeakSet<IConstruct>()

function informOfOthers(construct: IConstruct): void {
  const reason = whyNoTaskDefinition(construct)
  if (reason === undefined || informed.has(construct) || lazySetting(construct)?.options === undefined) return
  informed.add(construct)
  inform(construct, 'cdk-soci:leftAsItIs', `LazyLoading leaves ${construct.node.path} as it is: ${reason}`)
}

function makeTaskLazy(definition: ecs.CfnTaskDefinition): void {
  if (!platformOf(definition).isFargate) return
  const lazy = new Map<string, string>()
  for (const { construct, name, imageName } of containersOf(definition)) {
    const indexId = construct === definition ? `SociIndex${name}` : undefined
    const image = makeLazy({ construct, definition, name, imageName, indexId })
    if (image !== undefined) lazy.set(name, image)
  }
  if (lazy.size === 0) return
  const before = definition.containerDefinitions
  // What is a token may become more until the end
  definition.containerDefinitions = cdk.Lazy.uncachedAny({
    produce: (context) =>
      (context.resolve(before) as ecs.CfnTaskDefinition.ContainerDefinitionProperty[]).map((container) => {
        const image = lazy.get(container.name)
        return image === undefined ? container : { ...container, image }
      }),
  })
}

/** @throws Error for a task of a stage below that nobody made lazy: stages are synthesized before the aspects around them run */
function checkStages(scope: IConstruct): void {
  for (const stage of stagesBelow(scope))
    for (const definition of stage.node.findAll().filter(isTaskDefinition))
      for (const { construct, name, imageName } of platformOf(definition).isFargate ? containersOf(definition) : []) {
        const setting = lazySetting(construct)
        if (setting?.scope !== scope || setting.options === undefined || getHandled(definition, name)) continue
        if ('image' in decide(definition, imageName))
          throw new Error(
            `LazyLoading does not reach the container "${name}" of ${definition.node.path} from outside its stage: call LazyLoading.enable() with ${stage.node.path} too${WHEN}`,
          )
      }
}

/** Where there are injectors, what they did not see was there before them, or is no construct of the kind. */
const WHEN =
  cdk.PropertyInjectors === undefined
    ? '; an aws-cdk-lib from 2.196 on needs it for the app only'
    : ', or enable it before the container is made'

function* stagesBelow(scope: IConstruct): Generator<IConstruct> {
  for (const child of scope.node.children) {
    if (cdk.Stage.isStage(child)) yield child
    else yield* stagesBelow(child)
  }
}

interface TemplateContainer {
  readonly construct: Construct
  readonly name: string
  readonly imageName: string
}

function containersOf(definition: ecs.CfnTaskDefinition): TemplateContainer[] {
  const constructs = (definition.node.scope?.node.children ?? []).filter(isContainer)
  const containers = resolveWithReferences(definition, definition.containerDefinitions)
  if (!Array.isArray(containers)) return []
  return containers
    .filter((container) => typeof container?.name === 'string' && container.image !== undefined)
    .map(({ name, image }) => ({
      construct: constructs.find(({ containerName }) => containerName === name) ?? definition,
      name,
      imageName: cdk.Token.asString(image),
    }))
}
