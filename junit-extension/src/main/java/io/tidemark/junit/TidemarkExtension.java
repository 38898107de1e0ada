package io.tidemark.junit;

import io.tidemark.junit.TestStorage.RunningBranch;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ExtensionContext.Store;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolutionException;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * Resolves parameters with {@link TidemarkBranch}. Storage lives in the root store, one per major version; a branch lives in the store of
 * the invocation it was made for. JUnit closes both.
 */
public final class TidemarkExtension implements ParameterResolver {
    private static final Namespace NAMESPACE = Namespace.create(TidemarkExtension.class);

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.isAnnotated(TidemarkBranch.class);
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        Class<?> type = parameter.getParameter().getType();
        if (!type.isAssignableFrom(Connection.class) && !type.isAssignableFrom(DataSource.class)) {
            throw new ParameterResolutionException(
                    "@TidemarkBranch goes on a DataSource or a Connection, not on " + type.getName());
        }
        if (context.getTestMethod().isEmpty()) {
            throw new ParameterResolutionException("@TidemarkBranch goes on a parameter of a test method, since each"
                    + " method has a branch of its own");
        }
        TidemarkDatabase database = context.getRequiredTestClass().getAnnotation(TidemarkDatabase.class);
        if (database == null) {
            throw new ParameterResolutionException(
                    context.getRequiredTestClass().getName() + " needs @TidemarkDatabase");
        }
        Store ofInvocation = context.getStore(NAMESPACE);
        RunningBranch branch = ofInvocation.getOrComputeIfAbsent(
                RunningBranch.class, key -> branch(context, database), RunningBranch.class);
        if (type.isAssignableFrom(DataSource.class)) {
            return branch.dataSource();
        }
        try {
            Connection connection = branch.dataSource().getConnection();
            ofInvocation.put(parameter.getIndex(), connection);
            return connection;
        } catch (SQLException e) {
            throw new ParameterResolutionException("the branch does not take connections", e);
        }
    }

    private static RunningBranch branch(ExtensionContext context, TidemarkDatabase database) {
        TestStorage storage = context.getRoot()
                .getStore(NAMESPACE)
                .getOrComputeIfAbsent("storage " + database.pg(), key -> storage(database.pg()), TestStorage.class);
        try {
            return storage.branch(database.seed());
        } catch (IOException | SQLException e) {
            throw new ParameterResolutionException(
                    "no branch for " + context.getDisplayName() + ": " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ParameterResolutionException("interrupted while a branch was made", e);
        }
    }

    private static TestStorage storage(int major) {
        try {
            return TestStorage.start(major);
        } catch (IOException e) {
            throw new ParameterResolutionException("storage does not start: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ParameterResolutionException("interrupted while storage was started", e);
        }
    }
}
