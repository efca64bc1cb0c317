import { defineConfig } from 'drizzle-kit';

export default defineConfig({
  dialect: 'sqlite',
  schema: ['./src/datasets/*.ts', './src/warehouse/schema.ts'],
  out: './migrations',
});
