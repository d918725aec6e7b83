/** What a token is asked for: actions by resource, `repository:app` to `pull` and `push` (distribution, "Token Scope Documentation"). */
export type Scopes = ReadonlyMap<string, ReadonlySet<string>>

export function repositoryScope(repository: string, ...actions: readonly ('pull' | 'push' | 'delete')[]): Scopes {
  return new Map([[`repository:${repository}`, new Set(actions)]])
}

/** Scopes as a challenge has them: `repository:app:pull,push`, several separated by spaces. What is none is left out. */
export function parseScopes(text: string): Scopes {
  const scopes = new Map<string, Set<string>>()
  for (const scope of text.split(' ')) {
    const match = /^([^:]+:.+):([^:]+)$/.exec(scope)
    if (match !== null) scopes.set(match[1]!, new Set([...(scopes.get(match[1]!) ?? []), ...match[2]!.split(',')]))
  }
  return scopes
}

/** Sorted, so that the same scopes are the same text. */
export function formatScopes(scopes: Scopes): readonly string[] {
  return [...scopes].map(([resource, actions]) => `${resource}:${[...actions].sort().join(',')}`).sort()
}

export function uniteScopes(...all: readonly Scopes[]): Scopes {
  const united = new Map<string, ReadonlySet<string>>()
  for (const scopes of all)
    for (const [resource, actions] of scopes)
      united.set(resource, new Set([...(united.get(resource) ?? []), ...actions]))
  return united
}

/** Whether a token for `held` is good for `wanted`. */
export function coversScopes(held: Scopes, wanted: Scopes): boolean {
  return [...wanted].every(([resource, actions]) => [...actions].every((action) => held.get(resource)?.has(action)))
}
