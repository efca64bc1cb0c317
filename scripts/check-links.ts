/** Fails when a relative link or anchor in a Markdown file of the repository leads nowhere. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { anchors, linkTargets } from './markdown.ts';

const pages = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
  encoding: 'utf8',
})
  .split('\n')
  .filter((path) => path !== '' && existsSync(path));
const broken = pages.flatMap((page) =>
  linkTargets(readFileSync(page, 'utf8'))
    .filter((target) => !/^[a-z]+:/i.test(target) && !leads(page, target))
    .map((target) => `${page}: ${target}`),
);
for (const line of broken) console.error(line);
if (broken.length > 0) {
  console.error('These links lead nowhere.');
  process.exitCode = 1;
}

function leads(page: string, target: string): boolean {
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? page : join(dirname(page), decodeURIComponent(path));
  if (!existsSync(file)) return false;
  return anchor === undefined || !file.endsWith('.md') || anchors(readFileSync(file, 'utf8')).has(anchor);
}
