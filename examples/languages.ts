// Chinese, Japanese and Korean texts, which are written without spaces between words (or with endings that change): searched by
// their words, and by words and vectors together. Run: npx tsx examples/languages.ts
import { SemanticIndex } from 'semantic-index';

interface Language {
  readonly name: string;
  readonly documents: Readonly<Record<string, string>>;
  readonly questions: readonly string[];
}

const languages: Language[] = [
  {
    name: 'Chinese',
    documents: {
      'vector-search': '向量搜索把文本变成一串数字，再找出距离最近的向量，所以用不同的词也能找到意思相近的内容。',
      'nearest-neighbours': '近似最近邻算法只比较一部分向量，用少量的召回率换来快得多的查询速度。',
      embeddings: '嵌入模型把一句话映射到高维空间，意思相近的句子在空间里也靠得很近。',
      'random-trees': '随机投影森林用许多棵树把空间切开，每棵树的叶子里都是彼此靠近的点。',
      'garbage-collection': '垃圾回收器会自动释放程序不再使用的内存，因此开发者不必手动管理内存。',
      recursion: '递归函数会调用自己，必须有一个终止条件，否则会导致栈溢出。',
      transactions: '数据库事务要么全部成功，要么全部回滚，这样数据就不会处于不一致的状态。',
      'version-control': '版本控制系统记录代码的每一次修改，多人可以在不同的分支上同时工作。',
      'unit-tests': '单元测试检查一个函数在各种输入下的结果，修改代码之后可以立即发现错误。',
      'event-loop': '事件循环在单个线程里处理许多请求，耗时的计算会阻塞它，应当放到工作线程中。',
      compilers: '编译器把源代码翻译成机器指令，并在翻译时做语法检查和优化。',
      caching: '缓存保存最近用过的结果，相同的请求再次到来时不用重新计算。',
    },
    questions: ['怎样释放不再使用的内存？', '为什么近似最近邻的查询速度更快？'],
  },
  {
    name: 'Japanese',
    documents: {
      'vector-search':
        'ベクトル検索は文章を数値の列に変換し、距離が最も近いものを探すので、言葉が違っても意味の近い文章が見つかる。',
      'nearest-neighbours':
        '近似最近傍探索は一部のベクトルだけを比較し、わずかな再現率と引き換えに検索をずっと速くする。',
      embeddings: '埋め込みモデルは文を高次元の空間に写し、意味の似た文は近くに置かれる。',
      'random-trees': 'ランダム射影の森は多くの木で空間を分割し、同じ葉には近い点が集まる。',
      'garbage-collection': 'ガベージコレクションは使われなくなったメモリを自動的に解放する。',
      recursion: '再帰関数は自分自身を呼び出すので、終了条件がないとスタックがあふれる。',
      transactions: 'データベースのトランザクションは、すべて成功するか、すべて取り消されるかのどちらかである。',
      'version-control': 'バージョン管理はコードの変更履歴を記録し、複数の人がブランチで同時に作業できる。',
      'unit-tests': '単体テストは関数の結果を確かめ、変更の後の誤りをすぐに見つける。',
      'event-loop': 'イベントループは一つのスレッドで多くの要求を処理するため、重い計算はワーカーに任せる。',
      compilers: 'コンパイラはソースコードを機械語に翻訳し、その途中で構文を検査する。',
      caching: 'キャッシュは最近の結果を保存し、同じ要求には計算し直さずに答える。',
    },
    questions: ['使われなくなったメモリを解放するには？', '近似最近傍探索はなぜ速いのか'],
  },
  {
    name: 'Korean',
    documents: {
      'vector-search':
        '벡터 검색은 문장을 숫자로 바꾸고 거리가 가장 가까운 것을 찾기 때문에 다른 낱말로 물어도 뜻이 비슷한 글을 찾는다.',
      'nearest-neighbours':
        '근사 최근접 이웃 탐색은 벡터의 일부만 비교하여 재현율을 조금 잃는 대신 훨씬 빠르게 찾는다.',
      embeddings: '임베딩 모델은 문장을 고차원 공간으로 옮기고 뜻이 비슷한 문장은 서로 가까이 놓인다.',
      'random-trees': '무작위 투영 숲은 여러 나무로 공간을 나누고 같은 잎에는 가까운 점들이 모인다.',
      'garbage-collection': '가비지 컬렉터는 더 이상 쓰지 않는 메모리를 자동으로 해제한다.',
      recursion: '재귀 함수는 자기 자신을 호출하므로 종료 조건이 없으면 스택이 넘친다.',
      transactions: '데이터베이스 트랜잭션은 모두 성공하거나 모두 취소된다.',
      'version-control': '버전 관리는 코드의 변경 이력을 기록하고 여러 사람이 브랜치에서 함께 일하게 한다.',
      'unit-tests': '단위 테스트는 함수의 결과를 확인하여 코드를 고친 뒤의 오류를 바로 찾아낸다.',
      'event-loop': '이벤트 루프는 하나의 스레드에서 많은 요청을 처리하므로 오래 걸리는 계산은 워커에 맡긴다.',
      compilers: '컴파일러는 소스 코드를 기계어로 번역하면서 문법을 검사한다.',
      caching: '캐시는 최근의 결과를 저장해 두고 같은 요청에는 다시 계산하지 않고 답한다.',
    },
    questions: ['쓰지 않는 메모리를 해제하려면?', '최근접 이웃 탐색은 왜 빠르게 찾는가'],
  },
];

for (const { name, documents, questions } of languages) {
  await using index = await SemanticIndex.open(':memory:');
  await index.addDocuments(Object.entries(documents).map(([id, text]) => ({ id, text })));
  for (const question of questions) {
    for (const mode of ['text', 'hybrid'] as const) {
      const { hits } = await index.search(question, { mode, k: 3 });
      const found = hits.map(({ id, score }) => `${id} ${score.toFixed(2)}`).join(', ');
      console.log(`${name} | ${mode} | ${question} | ${found}`);
    }
  }
}
