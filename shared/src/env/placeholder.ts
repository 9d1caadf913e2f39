import type { VariableMeta } from './variable.ts'

const usual =
  /^(<.*>|change[-_ ]?me!?|todo|fixme|xxx+|\.\.\.|placeholder|example|replace[-_ ]?me|(sk-|sk-ant-|akia)?(\.\.\.|…))$/i
const yours = /(^|[@/.])your[._-]?(domain|email|droplet|host|server|name|api|token|key|secret|password)\b/i

/** Whether a value is a stand-in of the example that nobody replaced: its own placeholder, or one of the usual ones. */
export function isPlaceholder(value: string, meta: VariableMeta): boolean {
  const text = value.trim()
  if (text === meta.placeholder || (meta.secret && text === meta.example)) return true
  return usual.test(text) || yours.test(text) || /AAAA(\.\.\.|…)/.test(text)
}
