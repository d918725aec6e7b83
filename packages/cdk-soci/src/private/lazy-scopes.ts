import type { IConstruct } from 'constructs'
import type { LazyLoadingOptions } from '../lazy-loading-options'
import { whyNotLazy } from './lazy-switch'

/** What `LazyLoading` was told of a scope and all below it. `options` is undefined where it was switched off. */
export interface LazySetting {
  readonly scope: IConstruct
  readonly options: LazyLoadingOptions | undefined
  /** Why it is off, where `options` is undefined. */
  readonly off: string
}

const settings = new WeakMap<IConstruct, LazySetting>()

export function setLazy(scope: IConstruct, options: LazyLoadingOptions | undefined): void {
  settings.set(scope, { scope, options, off: `LazyLoading.disable(${scope.node.path || 'app'})` })
}

/** What holds for the construct: the nearest scope that was told anything decides. */
export function lazySetting(construct: IConstruct): LazySetting | undefined {
  for (let scope: IConstruct | undefined = construct; scope !== undefined; scope = scope.node.scope) {
    const setting = settings.get(scope)
    if (setting === undefined) continue
    const off = whyNotLazy(construct, setting.options?.lazy)
    return off === undefined || setting.options === undefined ? setting : { ...setting, options: undefined, off }
  }
  return undefined
}
