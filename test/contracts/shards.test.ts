import { testBackend } from './backend.js';
import { testSearches } from './searches.js';
import { openIndexOfShards, openShardsInFolders } from './stores.js';

testBackend('two shards', () => openShardsInFolders(2));
testSearches('two shards', () => openIndexOfShards(2), true);
