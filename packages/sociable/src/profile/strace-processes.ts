// What a trace tells of its processes, so that relative paths can be resolved.

export interface Process {
  /** The working folder and the root, seen from outside; threads share it. */
  folders: { cwd: string | undefined; root: string }
  /** Paths of open descriptors; threads share them. */
  descriptors: Map<string, string>
  /** A call that another process's lines interrupt: what is written of it so far. */
  pending?: string | undefined
}

/** A trace of more processes or descriptors at a time loses the oldest: memory stays bounded whatever the trace says. */
const MAX_PROCESSES = 4096
const MAX_DESCRIPTORS = 1024

export class Processes {
  readonly #processes = new Map<string, Process>()
  /** The last process whose fork was interrupted; it is under way while its call is pending. */
  forking: Process | undefined

  get(pid: string): Process {
    const known = this.#processes.get(pid)
    if (known !== undefined) return known
    // A child may run before its parent's fork returns; and strace names the first process only once there are others
    const first = this.#processes.get('')
    const made =
      this.forking?.pending !== undefined
        ? fork(this.forking, this.forking.pending)
        : first === undefined
          ? fork(undefined, '')
          : { folders: first.folders, descriptors: first.descriptors }
    return this.#add(pid, made)
  }

  fork(parent: Process, child: string, flags: string): void {
    if (!this.#processes.has(child)) this.#add(child, fork(parent, flags))
  }

  end(pid: string): void {
    this.#processes.delete(pid)
  }

  /** A thread that calls execve becomes the process, and ends its call as that. */
  supersede(pid: string, by: string): void {
    const process = this.#processes.get(pid)
    if (process === undefined) return
    this.#processes.delete(pid)
    this.#add(by, process)
  }

  #add(pid: string, process: Process): Process {
    if (this.#processes.size >= MAX_PROCESSES) this.#processes.delete(this.#processes.keys().next().value!)
    this.#processes.set(pid, process)
    return process
  }
}

function fork(parent: Process | undefined, flags: string): Process {
  if (parent === undefined) return { folders: { cwd: undefined, root: '' }, descriptors: new Map() }
  return {
    folders: flags.includes('CLONE_FS') ? parent.folders : { ...parent.folders },
    descriptors: flags.includes('CLONE_FILES') ? parent.descriptors : new Map(parent.descriptors),
  }
}

export function setDescriptor({ descriptors }: Process, number: string, path: string | undefined): void {
  descriptors.delete(number)
  if (path === undefined) return
  if (descriptors.size >= MAX_DESCRIPTORS) descriptors.delete(descriptors.keys().next().value!)
  descriptors.set(number, path)
}
