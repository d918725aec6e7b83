import { type InjectionContext, type IPropertyInjector, PropertyInjectors } from 'aws-cdk-lib'
import * as ecs from 'aws-cdk-lib/aws-ecs'
import type { IConstruct } from 'constructs'
import { LazyImage } from './lazy-image'

/** Has containers below the scope made with lazy images, where the CDK can do that: 2.196 and newer. */
export function addInjector(scope: IConstruct): void {
  const id: string | undefined = ecs.ContainerDefinition.PROPERTY_INJECTION_ID
  const injectors: typeof PropertyInjectors | undefined = PropertyInjectors
  if (id === undefined || injectors === undefined) return
  const own = injectors.of(scope)
  const before = own.for(id)
  if (before instanceof LazyInjector) return
  own.add(new LazyInjector(scope, id, before))
}

/** Of a construct's scopes the CDK asks the nearest that has an injector, and that only: what was there, or is further out, is asked by this one. */
class LazyInjector implements IPropertyInjector {
  readonly constructUniqueId: string
  readonly #scope: IConstruct
  readonly #before: IPropertyInjector | undefined

  constructor(scope: IConstruct, id: string, before: IPropertyInjector | undefined) {
    this.constructUniqueId = id
    this.#scope = scope
    this.#before = before
  }

  inject(given: ecs.ContainerDefinitionProps, context: InjectionContext): ecs.ContainerDefinitionProps {
    const outer = this.#before ?? this.#further()
    const props: ecs.ContainerDefinitionProps = outer?.inject(given, context) ?? given
    return props.image instanceof LazyImage ? props : { ...props, image: new LazyImage(props.image) }
  }

  #further(): IPropertyInjector | undefined {
    for (let scope = this.#scope.node.scope; scope !== undefined; scope = scope.node.scope) {
      const found = PropertyInjectors.hasPropertyInjectors(scope)
        ? PropertyInjectors.of(scope).for(this.constructUniqueId)
        : undefined
      if (found !== undefined) return found
    }
    return undefined
  }
}
