package io.tidemark.it.containers;

import static org.awaitility.Awaitility.await;

import com.github.dockerjava.api.model.ExposedPort;
import com.github.dockerjava.api.model.HostConfig;
import com.github.dockerjava.api.model.PortBinding;
import com.github.dockerjava.api.model.Ports;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Objects;
import java.util.Properties;
import org.testcontainers.containers.Container.ExecResult;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.utility.DockerImageName;
import org.testcontainers.utility.MountableFile;

/**
 * A PostgreSQL in a container whose image is started like the official one. Its port is on loopback only, so the daemon has to be one of
 * this machine.
 */
final class PostgresContainer implements AutoCloseable {
    static final String PASSWORD = "secret";

    private static final String DATA_DIR = "/pgdata/data";
    private static final String LOOPBACK = "127.0.0.1";
    private static final int PORT = 5432;
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private final GenericContainer<?> container;

    private PostgresContainer(GenericContainer<?> container) {
        this.container = container;
    }

    /** One with a new, empty database that lets the superuser replicate from anywhere. */
    static PostgresContainer fresh(String image) throws IOException, InterruptedException, SQLException {
        PostgresContainer made = new PostgresContainer(container(image)
                .withEnv("POSTGRES_PASSWORD", PASSWORD)
                // What a compute's system need not have.
                .withEnv("POSTGRES_INITDB_ARGS", "--no-locale --encoding=UTF8"));
        made.start();
        ExecResult allowed = made.container.execInContainer(
                "sh", "-c", "echo 'host replication all all scram-sha-256' >> " + DATA_DIR + "/pg_hba.conf");
        if (allowed.getExitCode() != 0) {
            throw new IOException(allowed.toString());
        }
        try (Connection connection = made.connect();
                Statement statement = connection.createStatement()) {
            statement.execute("SELECT pg_reload_conf()");
        }
        await("the server has read that").atMost(PATIENCE).until(made::letsReplicate);
        return made;
    }

    /** One on a copy of a data directory. */
    static PostgresContainer on(String image, Path dataDir) {
        PostgresContainer made = new PostgresContainer(
                container(image).withCopyFileToContainer(MountableFile.forHostPath(dataDir), DATA_DIR));
        made.start();
        return made;
    }

    private static GenericContainer<?> container(String image) {
        return new GenericContainer<>(DockerImageName.parse(image))
                .withEnv("PGDATA", DATA_DIR)
                .withCommand("postgres", "-c", "listen_addresses=*", "-c", "fsync=off")
                .withExposedPorts(PORT)
                .withCreateContainerCmdModifier(command -> Objects.requireNonNullElseGet(
                                command.getHostConfig(), HostConfig::new)
                        .withPortBindings(new PortBinding(Ports.Binding.bindIp(LOOPBACK), ExposedPort.tcp(PORT))))
                .waitingFor(Wait.forLogMessage(".*database system is ready to accept connections.*", 1))
                .withStartupTimeout(PATIENCE);
    }

    private void start() {
        container.start();
        // The official image starts a server for itself before, which listens to nobody else.
        await("PostgreSQL in the container takes connections")
                .atMost(PATIENCE)
                .ignoreExceptions()
                .until(() -> {
                    connect().close();
                    return true;
                });
    }

    private boolean letsReplicate() {
        Properties properties = new Properties();
        properties.setProperty("user", "postgres");
        properties.setProperty("password", PASSWORD);
        properties.setProperty("replication", "true");
        properties.setProperty("assumeMinServerVersion", "14");
        properties.setProperty("preferQueryMode", "simple");
        try (Connection connection = DriverManager.getConnection(url(), properties)) {
            return !connection.isClosed();
        } catch (SQLException notYet) {
            return false;
        }
    }

    private String url() {
        return "jdbc:postgresql://" + host() + ":" + port() + "/postgres";
    }

    Connection connect() throws SQLException {
        return DriverManager.getConnection(url(), "postgres", PASSWORD);
    }

    /** Not what Testcontainers calls the host: inside a container that is the bridge, where the port is not. */
    String host() {
        return LOOPBACK;
    }

    int port() {
        return container.getMappedPort(PORT);
    }

    @Override
    public void close() {
        container.close();
    }
}
