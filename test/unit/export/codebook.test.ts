import { describe, expect, it } from 'vitest';
import { asCsv } from '../../../src/export/codebook/as-csv.ts';
import { asHtml } from '../../../src/export/codebook/as-html.ts';
import { asMarkdown } from '../../../src/export/codebook/as-markdown.ts';
import type { Codebook } from '../../../src/export/codebook/codebook.ts';
import { readCodebook } from '../../../src/export/codebook/read.ts';
import { allPositions } from '../../../src/warehouse/positions.ts';
import { at, openBench, type Bench } from '../../support/derived.ts';

const read = ({ warehouse: { db } }: Bench): Codebook =>
  readCodebook(db, { experiments: ['e'], positions: allPositions(db), madeAt: '2026-03-01T12:00:00.000Z' });

const formsOf = async (book: Codebook) => [asMarkdown(book), await asHtml(book), asCsv(book), JSON.stringify(book)];

const of = (person: string) => ({ roomId: 'r', participantId: person });
const PEOPLE = ['ana', 'bo', 'cy', 'di', 'ed', 'flo'];

/** What six people answered to a question of a questionnaire, one after the other. */
function answer(bench: Bench, value: object, answers: readonly unknown[], from = 0) {
  const records = answers.map((given, i) => ({
    id: `${JSON.stringify(value)} ${from + i}`,
    ...of(PEOPLE[i] ?? 'x'),
    ...at(from + i),
    category: 'questionnaire',
    eventType: 'questionnaire.response',
    value: { ...value, answer: given },
  }));
  bench.write('events', ...(records as never[]));
}

describe('a codebook', () => {
  it('counts names, addresses, messages, free texts and ids, and shows none of them', async () => {
    const bench = openBench();
    bench.write('experiments', { name: 'Trust', ownerEmail: 'owner@lab.example' });
    bench.write('rooms', { id: 'room-secret', status: 'completed' });
    bench.write(
      'participants',
      ...PEOPLE.map((id) => ({ id: `${id}-secret`, roomId: 'r', email: 'ana@mail.example' })),
    );
    bench.write('chat', {
      messageId: 'm-secret',
      roomId: 'r',
      senderId: 'ana',
      senderName: 'Ana Secret',
      content: 'hi secret',
    });
    bench.write('recordings', {
      recordingId: 'rec-secret',
      ...of('ana'),
      participantName: 'Ana Secret',
      downloadUrl: 'https://files.example/secret.mp4',
      token: 'secret-token',
      phone: 4915112345,
    });
    answer(bench, { questionId: 'q', questionText: 'What is your name, dear secret?', questionType: 'text' }, [
      'Ana Secret',
    ]);
    bench.write(
      'variables',
      ...PEOPLE.map((id) => ({ ...of(id), ...at(1), variable: 'nickname', value: `${id}-secret` })),
    );
    const book = read(bench);
    for (const form of await formsOf(book)) expect(form).not.toMatch(/secret|\w@\w|4915112345/i);
    const columns = book.studies[0]?.tables.find(({ name }) => name === 'participants')?.columns;
    expect(columns?.find(({ name }) => name === 'email')).toMatchObject({ n: 6, missing: 0, distinct: 1, levels: [] });
  });

  it('tells the questions of a component apart that several states show', async () => {
    const bench = openBench();
    const state = (id: string, question: string) => ({ id, focusComponent: { id: 'mood', config: { question } } });
    bench.write('experiment-configs', { name: 'x', states: [state('s1', 'And before?'), state('s2', 'And after?')] });
    const answer = (stateId: string, value: number) => ({
      id: stateId,
      ...of('ana'),
      ...at(value),
      eventType: 'component.response',
      category: 'component',
      componentId: 'mood',
      stateId,
      response: { value },
    });
    bench.write('events', answer('s1', 1), answer('s2', 9));
    const book = read(bench);
    expect(book.studies[0]?.questions.map(({ question, state, mean }) => [question, state, mean])).toEqual([
      ['And before?', 's1', 1],
      ['And after?', 's2', 9],
    ]);
    expect(asMarkdown(book)).toContain('s2');
    expect(await asHtml(book)).toContain('And after?');
  });

  it('in CSV says that it is UTF-8, as a spreadsheet takes it for another encoding otherwise', () => {
    const bench = openBench();
    bench.write('experiments', { name: 'Gefühle' });
    expect(asCsv(read(bench))).toMatch(/^\uFEFFexperiment_id,.*Gefühle/s);
  });

  it('leaves out what is named after a person by the name that others see', async () => {
    const bench = openBench();
    bench.write('participants', ...PEOPLE.map((id) => ({ id, roomId: 'r', displayName: `Dr ${id.toUpperCase()}` })));
    bench.write('chat', { messageId: 'm', roomId: 'r', senderId: 'ana', senderName: 'Zoë Zulu', content: 'hi' });
    const variables = { 'Zoë Zulu': 5, 'liking_Dr ANA': 2, score: 1 };
    bench.write('components', { ...of('bo'), componentId: 'c', ...at(1), variables, config: { 'Zoë Zulu': 1 } });
    bench.write(
      'variables',
      ...['partner', 'closeness to Zoë Zulu'].flatMap((variable) =>
        PEOPLE.map((id) => ({ ...of(id), ...at(1), variable, value: 'Dr ANA' })),
      ),
    );
    answer(bench, { questionId: 'q', questionText: 'Do you trust Zoë Zulu?' }, [1, 2, 3]);
    answer(bench, { questionText: 'Is Zoë Zulu kind?' }, [1, 2, 3], 10);
    const book = read(bench);
    for (const form of await formsOf(book)) expect(form).not.toMatch(/zulu|Dr |zoe/i);
    expect(book.studies[0]?.variables.map(({ name }) => name)).toEqual(['(named after a person)', 'partner']);
    expect(book.studies[0]?.tables.find(({ name }) => name === 'components')?.leftOut).toBeGreaterThan(0);
  });

  it('hands a spreadsheet no formula, as it ignores spaces in front of one', () => {
    const bench = openBench();
    bench.write('experiments', { name: ' =1+1' });
    expect(asCsv(read(bench))).toContain(",' =1+1,");
  });

  it('does not mix what was asked before and after, or was rated of a stimulus', () => {
    const bench = openBench();
    const mood = (componentId: string, given: number) =>
      ({
        id: componentId,
        componentId,
        ...of('ana'),
        ...at(given - 10),
        category: 'questionnaire',
        value: { questionId: 'mood', answer: given },
      }) as never;
    bench.write('events', mood('before', 2), mood('after', 6));
    const rating = (dimension: string, value: number) =>
      ({ ratingId: dimension, ...of('ana'), ...at(value), componentId: 'c', value, metadata: { dimension } }) as never;
    bench.write('ratings/sparse', rating('valence', 1), rating('arousal', 9));
    expect(read(bench).studies[0]?.questions).toMatchObject([
      { id: 'mood', component: 'before', mean: 2, answers: 1 },
      { id: 'mood', component: 'after', mean: 6, answers: 1 },
      { id: 'c', dimension: 'valence', mean: 1, repeated: 0 },
      { id: 'c', dimension: 'arousal', mean: 9, repeated: 0 },
    ]);
  });

  it('lists the values of a variable or a choice that two or more people share, and counts the others', () => {
    const bench = openBench();
    const values = ['warm', 'warm', 'cold', 'cold', 'cold', 'none of these'];
    bench.write(
      'variables',
      ...PEOPLE.map((id, i) => ({ ...of(id), ...at(1), variable: 'condition', value: values[i] ?? '' })),
    );
    answer(bench, { questionId: 'c', questionType: 'single' }, ['yes', 'yes', 'no', 'no', 'no', 'I, Flo']);
    const [study] = read(bench).studies;
    expect(study?.variables).toMatchObject([{ name: 'condition', owner: 'participant', n: 6, others: 1 }]);
    expect(study?.variables[0]?.levels).toMatchObject([
      { value: 'cold', n: 3 },
      { value: 'warm', n: 2 },
    ]);
    expect(study?.questions[0]).toMatchObject({
      answers: 6,
      levels: [
        { value: 'no', n: 3 },
        { value: 'yes', n: 2 },
      ],
      others: 1,
    });
  });

  it('shows what was answered on a scale step by step, with its labels, and the steps that no one chose', () => {
    const bench = openBench();
    const scale = { scaleMin: 1, scaleMax: 4, labels: { min: 'never', max: 'always' }, question: 'How often?' };
    bench.write('experiment-configs', {
      name: 'x',
      states: [{ id: 's', focusComponent: { id: 'q', type: 'likert', config: scale } }],
    });
    answer(bench, { questionId: 'q', questionType: 'likert', scaleMin: 1, scaleMax: 4 }, [1, 1, 2, 4]);
    answer(bench, { questionId: 'q', questionType: 'likert', scaleMin: 1, scaleMax: 4 }, [2], 100);
    const [study] = read(bench).studies;
    expect(study?.questions).toMatchObject([
      {
        id: 'q',
        question: 'How often?',
        answers: 4,
        people: 4,
        repeated: 1,
        minimum: 1,
        maximum: 4,
        mean: 2.25,
        levels: [
          { value: '1', label: 'never', n: 1 },
          { value: '2', n: 2 },
          { value: '3', n: 0 },
          { value: '4', label: 'always', n: 1 },
        ],
      },
    ]);
    expect(study?.design).toMatchObject([{ position: 1, component: 'likert', question: 'How often?' }]);
  });

  it('takes the words of a question that is made for each person from no single one of them', async () => {
    const bench = openBench();
    bench.write('experiments', { name: 'Trust' });
    bench.write('participants', ...PEOPLE.map((id) => ({ id, roomId: 'r' })));
    for (const name of ['Secret Ana', 'Secret Bo'])
      answer(bench, { questionId: 'q', questionText: `Did you like ${name}?` }, [1]);
    bench.warehouse.tendForReaders();
    const book = read(bench);
    expect(book.studies[0]?.questions[0]?.question).toBeNull();
    const wide = book.studies[0]?.tables.find(({ name }) => name === 'wide_trust');
    expect(wide?.columns.find(({ name }) => name === 'q')?.meaning).toBe('The last answer (questionnaire q).');
    for (const form of await formsOf(book)) expect(form).not.toContain('Secret');
  });

  it('leaves out columns that are named after participants, rooms or addresses, and says how many', async () => {
    const bench = openBench();
    bench.write('participants', { id: 'anasecret', roomId: 'r' });
    bench.write('components', {
      ...of('anasecret'),
      ...at(1),
      componentId: 'c',
      variableSnapshot: { anasecret: 1, 'bo@mail.example': 2, points: 3 },
    });
    const book = read(bench);
    const components = book.studies[0]?.tables.find(({ name }) => name === 'components');
    expect(components?.columns.map(({ name }) => name)).toContain('variable_snapshot_points');
    for (const form of await formsOf(book)) expect(form).not.toMatch(/anasecret|bo.mail/);
    expect(asMarkdown(book)).toContain(
      '2 columns are left out, as they are named after participants, rooms or addresses.',
    );
  });

  it('leaves out of an address what is behind its path, where a key may be', async () => {
    const bench = openBench();
    const config = { videoUrl: 'https://user:pass@files.example/story.mp4?token=abc#t' };
    bench.write('experiment-configs', {
      name: 'x',
      states: [{ id: 's', focusComponent: { id: 'v', type: 'showvideo', config } }],
    });
    expect(read(bench).studies[0]?.design[0]?.medium).toBe('https://files.example/story.mp4');
    for (const form of await formsOf(read(bench))) expect(form).not.toMatch(/token=|pass@/);
  });

  it('escapes what HTML, Markdown and spreadsheets would act upon', async () => {
    const bench = openBench();
    bench.write('experiments', { name: '<script>alert(1)</script>', description: '<b>*bold*</b> | "quoted"' });
    bench.write('experiment-configs', {
      name: 'x',
      states: [{ id: 's', name: '=1+1|<i>', focusComponent: { id: 'q', type: '@SUM(A1)' } }],
    });
    answer(bench, { questionId: '=HYPERLINK("http://evil.example")', questionText: 'a | b' }, [1, 2]);
    const book = read(bench);
    const [markdown = '', html = '', csv = ''] = await formsOf(book);
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(html).not.toMatch(/<script|<i>|<b>\*/);
    expect(markdown).toContain('\\<script\\>alert(1)\\</script\\>');
    expect(markdown).toContain('a \\| b');
    expect(csv).toContain(`"'=HYPERLINK(""http://evil.example"")"`);
    expect(csv.split(/\r\n|,/).filter((cell) => /^"?[=@+]/.test(cell))).toEqual([]);
  });

  it('says that no data were read, and which tables are empty', () => {
    const bench = openBench();
    const book = read(bench);
    expect(asMarkdown(book)).toContain('**⚠ No data of this experiment were read yet.**');
    expect(book.studies[0]?.tables).toEqual([]);
    expect(book.studies[0]?.empty).toContain('people');
  });

  it('says at the top and beside each table what may be missing', async () => {
    const bench = openBench();
    bench.write('rooms', { id: 'r' });
    answer(bench, { questionId: 'q' }, [1, 2]);
    bench.warehouse.db.exec(
      `UPDATE _streams SET data_as_of = '2026-02-01T10:00:00.000Z', last_status = 'ok', doubts = '[]', complete = 1`,
    );
    expect(asMarkdown(read(bench))).toContain('**Everything that was read is complete, as of 2026-02-01 10:00 UTC.**');
    bench.warehouse.db.exec(
      `UPDATE _streams SET complete = 0, reason = '3 rows are missing', doubts = '[{"kind":"lacking","text":"3 rows are missing","count":3}]' WHERE data = 'events'`,
    );
    const book = read(bench);
    const [markdown = '', html = ''] = await formsOf(book);
    for (const form of [markdown, html]) {
      expect(form).toContain('These data may be incomplete, as of 2026-02-01 10:00 UTC:');
      expect(form).toContain('The only stream of events may be incomplete: e (3 rows are missing).');
      expect(form).toContain('⚠ 2 rows, may be incomplete: events, as of 2026-02-01 10:00 UTC.');
      expect(form).toContain('1 row, complete, as of 2026-02-01 10:00 UTC.');
    }
    const [study] = book.studies;
    const several = { ...book, studies: study === undefined ? [] : [study, { ...study, id: 'f', name: 'Other' }] };
    for (const form of (await formsOf(several)).slice(0, 2))
      expect(form).toContain('The data may be incomplete of: e, Other.');
    const beside = book.studies[0]?.tables.map(({ name, lacking }) => [name, lacking]);
    expect(beside).toEqual(
      expect.arrayContaining([
        ['answers', ['events']],
        ['events', ['events']],
        ['rooms', []],
      ]),
    );
  });
});
