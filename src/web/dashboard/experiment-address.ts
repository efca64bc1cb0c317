/**
 * The address of an experiment's page. A path cannot end in `.` or `..`, as a browser takes that for a folder however it
 * is written, nor can it be empty.
 */
export function addressOf(id: string): string {
  const text = encodeURIComponent(id.toWellFormed());
  return ['', '.', '..'].includes(id) ? `/experiments?id=${text}` : `/experiments/${text}`;
}

/** The id in the address of an experiment's page; undefined if it holds none that could be one. */
export function idIn({ pathname, searchParams }: URL): string | undefined {
  const [, path = ''] = /^\/experiments\/(.+)$/s.exec(pathname) ?? [];
  if (path === '') return searchParams.get('id') ?? undefined;
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
