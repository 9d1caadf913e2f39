/** What several that work side by side tell, in order. */
export interface Turns {
  /** Tells now, where it is the turn of `index`, else when it is. */
  tell(index: number, act: () => void): void
  /** `index` has nothing more to tell. */
  end(index: number): void
}

/** Has so many that work side by side tell one after the other: the first as it goes, the others once those before ended. */
export function inTurns(count: number): Turns {
  const kept = Array.from({ length: count }, (): (() => void)[] => [])
  const ended = new Set<number>()
  let turn = 0
  return {
    tell(index, act) {
      if (index === turn) act()
      else kept[index]?.push(act)
    },
    end(index) {
      ended.add(index)
      while (ended.has(turn)) {
        turn += 1
        for (const act of kept[turn] ?? []) act()
      }
    },
  }
}
