import type { IConstruct } from 'constructs'
import type { LazyLoadingOptions } from '../lazy-loading-options'

/** What `LazyLoading` was told of a scope and all below it. `options` is undefined where it was switched off. */
export interface LazySetting {
  readonly scope: IConstruct
  readonly options: LazyLoadingOptions | undefined
}

const settings = new WeakMap<IConstruct, LazySetting>()

export function setLazy(scope: IConstruct, options: LazyLoadingOptions | undefined): void {
  settings.set(scope, { scope, options })
}

/** What holds for the construct: the nearest scope that was told anything decides. */
export function lazySetting(construct: IConstruct): LazySetting | undefined {
  for (let scope: IConstruct | undefined = construct; scope !== undefined; scope = scope.node.scope) {
    const setting = settings.get(scope)
    if (setting !== undefined) return setting
  }
  return undefined
}
