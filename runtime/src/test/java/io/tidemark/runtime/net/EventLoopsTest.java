package io.tidemark.runtime.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.Channel;
import io.netty.channel.WriteBufferWaterMark;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class EventLoopsTest {
    private static final TcpEdge.Limits LIMITS = new TcpEdge.Limits(10, WriteBufferWaterMark.DEFAULT);

    private final EventLoops loops = EventLoops.withOwnLoops("test", 2);
    private final LinkedBlockingQueue<Channel> accepted = new LinkedBlockingQueue<>();

    @AfterEach
    void stop() {
        loops.close();
    }

    private TcpEdge bind(EventLoops on) throws IOException {
        InetSocketAddress anyPort = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        return TcpEdge.bind(on, anyPort, "nothing", LIMITS, () -> {}, accepted::add);
    }

    private static Socket connect(TcpEdge edge) throws IOException {
        return new Socket(edge.address().getAddress(), edge.address().getPort());
    }

    private Channel accept() throws InterruptedException {
        Channel channel = accepted.poll(20, TimeUnit.SECONDS);
        assertThat(channel).isNotNull();
        return channel;
    }

    @Test
    void connectionsAreAloneUntilThereAreMoreThanLoops() throws Exception {
        try (TcpEdge edge = bind(loops);
                Socket a = connect(edge);
                Socket b = connect(edge)) {
            Channel first = accept();
            Channel second = accept();
            assertThat(first.eventLoop()).isNotSameAs(second.eventLoop());
            assertThat(loops.isAlone(first)).isTrue();
            assertThat(loops.isAlone(second)).isTrue();

            try (Socket c = connect(edge)) {
                Channel third = accept();
                Channel host = third.eventLoop().equals(first.eventLoop()) ? first : second;
                Channel other = host.equals(first) ? second : first;
                assertThat(third.eventLoop()).isSameAs(host.eventLoop());
                assertThat(loops.isAlone(third)).isFalse();
                assertThat(loops.isAlone(host)).isFalse();
                assertThat(loops.isAlone(other)).isTrue();

                third.close().syncUninterruptibly();
                // Whoever counts was told before a task that comes after the close.
                third.eventLoop().submit(() -> {}).syncUninterruptibly();
                assertThat(loops.isAlone(host)).isTrue();
                assertThat(c.isConnected()).isTrue();
            }
            assertThat(a.isConnected() && b.isConnected()).isTrue();
        }
    }

    @Test
    void whoHasLeftIsNotCounted() throws Exception {
        try (TcpEdge edge = bind(loops)) {
            for (int i = 0; i < 20; i++) {
                connect(edge).close();
            }
            for (Channel channel = accepted.poll(1, TimeUnit.SECONDS);
                    channel != null;
                    channel = accepted.poll(1, TimeUnit.SECONDS)) {
                channel.close().syncUninterruptibly();
                channel.eventLoop().submit(() -> {}).syncUninterruptibly();
            }
            try (Socket a = connect(edge)) {
                assertThat(loops.isAlone(accept())).isTrue();
                assertThat(a.isConnected()).isTrue();
            }
        }
    }

    @Test
    void onSharedLoopsNobodyIsAlone() throws Exception {
        try (EventLoops shared = new EventLoops("shared");
                TcpEdge edge = bind(shared);
                Socket a = connect(edge)) {
            assertThat(shared.isAlone(accept())).isFalse();
            assertThat(a.isConnected()).isTrue();
        }
    }
}
