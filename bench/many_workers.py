"""One-thread Dask workers in one process: python many_workers.py SCHEDULER_FILE NUMBER."""

import asyncio
import sys
from contextlib import AsyncExitStack

import distributed


async def work(scheduler_file: str, number: int) -> None:
    """Run workers until the scheduler ends them."""
    async with AsyncExitStack() as stack:
        workers = [
            await stack.enter_async_context(
                distributed.Worker(
                    scheduler_file=scheduler_file,
                    nthreads=1,
                    memory_limit=0,
                    host="127.0.0.1",
                    dashboard=False,
                    dashboard_address="127.0.0.1:0",
                )
            )
            for _ in range(number)
        ]
        await asyncio.gather(*(worker.finished() for worker in workers))


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], int(sys.argv[2])))
